// Which headers and trailers of a call pass from one side to the other.
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import { hopByHop } from "../http/header.js";

/** Headers that belong to the protocol of one side, by exact name. */
const ofProtocol: ReadonlySet<string> = new Set([
  ...hopByHop,
  ...[
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "host",
    "te",
  ],
  ...["grpc-accept-encoding", "grpc-encoding", "grpc-message", "grpc-status", "grpc-status-details-bin"],
  ...["grpc-timeout", "user-agent", "x-grpc-web", "x-user-agent"],
]);
const ofConnect = /^(?:connect-|trailer-)/;

/** Whether a header is the application's. */
function isPassed(name: string): boolean {
  return !ofProtocol.has(name) && !ofConnect.test(name);
}

/** The headers of a request that go on, but for those that `Connection` names. */
export function passRequestHeaders({ requestHeader }: HandlerContext): Headers {
  const headers = new Headers();
  const ofConnection = new Set((requestHeader.get("connection") ?? "").toLowerCase().split(/\s*,\s*/));
  requestHeader.forEach((value, name) => {
    if (isPassed(name) && !ofConnection.has(name)) headers.append(name, value);
  });
  return headers;
}

/** Copies headers or trailers of a response to those of the caller's. */
export function passMetadata(from: Headers, to: Headers): void {
  from.forEach((value, name) => {
    if (isPassed(name)) to.append(name, value);
  });
}

/** The same error with the metadata that goes on. */
export function passError(reason: unknown): ConnectError {
  const error = ConnectError.from(reason);
  const passed = new ConnectError(error.rawMessage, error.code, undefined, undefined, error.cause);
  passed.details = error.details;
  passMetadata(error.metadata, passed.metadata);
  return passed;
}
