// Rejects requests that do not become calls.
import { Code, ConnectError } from "@connectrpc/connect";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import type { Method } from "../call/method.js";
import { type Exchange, respond } from "../http/exchange.js";
import { PreparedResponse } from "../http/prepared-response.js";
import { shorten } from "../quote.js";
import { encodeEnvelope } from "./envelope.js";
import { type Format, parseFormat } from "./format.js";
import { encodeMessage } from "./grpc-status.js";

const json = { "content-type": "application/json" };

/**
 * Why a bidirectional stream is refused over HTTP/1.1, with 505. A client that waits for replies while it is still sending
 * would hang, so the connection has to be closed.
 */
export const bidiNeedsHttp2 = "bidirectional streams need HTTP/2";

/** Refuses a request with an HTTP status, from which clients of every protocol make a code, and a line for people. */
export function refuse(
  exchange: Exchange,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  respond(exchange, status, { ...headers, "content-type": "text/plain; charset=utf-8" }, `${message}\n`);
}

/** The path of an RPC: `/package.Service/Method`. Clients whose base URL ends in a slash put another one before it. */
const rpcPath = /^\/(?<service>\/*[\w.]+)\/(?<method>\w+)$/;

/**
 * Rejects a request to an unknown path, in the protocol that the request speaks: gRPC and
 * gRPC-Web get the status UNIMPLEMENTED on HTTP 200, Connect its own error.
 *
 * @param problem why the method may be unknown only now: the error to send instead
 * @returns false, with nothing done, if the request is no call in any protocol.
 */
export function refuseUnknownMethod(
  path: string,
  methods: ReadonlyMap<string, Method>,
  exchange: Exchange,
  problem: ConnectError | undefined,
): boolean {
  const format = parseFormat(exchange.headers["content-type"]);
  const { service, method } = rpcPath.exec(path)?.groups ?? {};
  const isMarked = exchange.headers["connect-protocol-version"] !== undefined;
  if (format === undefined || exchange.method !== "POST") return false;
  if (service === undefined && !format.isEnveloped && !isMarked) return false;
  if (problem !== undefined) {
    sendCallError(exchange, format, problem);
    return true;
  }
  const isKnownService = [...methods.keys()].some((known) => known.startsWith(`/${service}/`));
  const name = shorten(service ?? path);
  const message = isKnownService ? `service ${name} has no method ${shorten(method ?? "")}` : `unknown service ${name}`;
  // Not 501, which is for methods: Connect's servers respond with 404 to an unknown path.
  prepareError(format, new ConnectError(message, Code.Unimplemented), 404).send(exchange);
  return true;
}

function prepareError(format: Format, error: ConnectError, status: number): PreparedResponse {
  const contentType = { "content-type": format.contentType };
  if (format.protocol !== "connect") {
    // The form "trailers only": the status is among the headers, and there is no body.
    const message = encodeMessage(error.rawMessage);
    return new PreparedResponse(200, { ...contentType, "grpc-status": String(error.code), "grpc-message": message });
  }
  if (!format.isEnveloped) return new PreparedResponse(status, json, errorToJsonBytes(error, undefined));
  const end = JSON.stringify(endStreamToJson(new Headers(), error, undefined));
  return new PreparedResponse(200, contentType, encodeEnvelope(endStreamFlag, Buffer.from(end)));
}

/** Sends an error in the protocol of the call: before its handler is called, or if its response cannot be sent. */
export function sendCallError(exchange: Exchange, format: Format, error: ConnectError): void {
  prepareError(format, error, codeToHttpStatus(error.code)).send(exchange);
}

/** Error that many calls share → format → response. */
const shared = new WeakMap<ConnectError, Map<Format, PreparedResponse>>();

/** Does the same with an error that many calls share. */
export function sendSharedError(exchange: Exchange, format: Format, error: ConnectError): void {
  const byFormat = shared.get(error) ?? new Map<Format, PreparedResponse>();
  shared.set(error, byFormat);
  const response = byFormat.get(format) ?? prepareError(format, error, codeToHttpStatus(error.code));
  byFormat.set(format, response);
  response.send(exchange);
}
