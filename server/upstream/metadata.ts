// Which headers and trailers of a call pass from one side to the other.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { hopByHop, NodeHeaders } from "../http/header.js";
import { checkOutgoing } from "../http2/field-rules.js";
import { createField, type Field } from "../http2/hpack/field.js";

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
  const ofConnection = namedBy(requestHeader.get("connection"));
  requestHeader.forEach((value, name) => {
    if (isPassed(name) && !ofConnection.has(name)) headers.append(name, value);
  });
  return headers;
}

/** The same as fields. @throws ConnectError `internal` if HTTP/2 does not allow one */
export function toRequestFields(headers: IncomingHttpHeaders): Field[] {
  const ofConnection = namedBy(headers.connection);
  const fields: Field[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || !isPassed(name) || ofConnection.has(name)) continue;
    for (const one of [value].flat()) fields.push(createField(name, one));
  }
  const fault = checkOutgoing(fields);
  if (fault !== undefined) throw new ConnectError(`headers: ${fault}`, Code.Internal);
  return fields;
}

const none: ReadonlySet<string> = new Set();

function namedBy(connection: string | null | undefined): ReadonlySet<string> {
  return connection ? new Set(connection.toLowerCase().split(/\s*,\s*/)) : none;
}

/** The headers or trailers of a response that go on, or undefined if there are none. */
export function passFields(fields: readonly Field[]): OutgoingHttpHeaders | undefined {
  let passed: OutgoingHttpHeaders | undefined;
  for (const { name, value } of fields) {
    if (!isPassed(name)) continue;
    passed ??= new NodeHeaders();
    const before = passed[name];
    // Cookies are the only values that cannot be joined by commas.
    if (name === "set-cookie") passed[name] = Array.isArray(before) ? [...before, value] : [value];
    else passed[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return passed;
}

/** Appends each value to headers. */
export function appendAll(from: Readonly<OutgoingHttpHeaders>, to: Headers): void {
  for (const name in from) for (const value of [from[name]].flat()) to.append(name, String(value));
}

/** Copies headers or trailers of a response to those of the caller's. */
export function passMetadata(from: Headers, to: Headers): void {
  from.forEach((value, name) => {
    if (isPassed(name)) to.append(name, value);
  });
}

/** The same error with the metadata that goes on: of its own, or the given. */
export function passError(reason: unknown, metadata?: Headers): ConnectError {
  const error = ConnectError.from(reason);
  const passed = new ConnectError(error.rawMessage, error.code, undefined, undefined, error.cause);
  passed.details = error.details;
  passMetadata(metadata ?? error.metadata, passed.metadata);
  return passed;
}
