// Settles how a request calls a method (protocol, codec, shape) and hands it to a lane, or says why it cannot.
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Method } from "../call/method.js";
import type { Exchange, Handler } from "../http/exchange.js";
import { quote, shorten } from "../quote.js";
import { type Format, getFormats, parseFormat } from "./format.js";
import { bidiNeedsHttp2, refuse } from "./refuse.js";

/**
 * Serves one call of one method: our own code, or Connect's handlers, which a caller cannot tell apart. Protocol, codec and
 * form have been settled and suit the method.
 *
 * @param query the query parameters of a Connect GET; undefined for a POST
 */
export type Lane = (format: Format, exchange: Exchange, query: URLSearchParams | undefined) => void;

/** Creates the handler of requests to one method's path. */
export function createRpcHandler(method: Method, lane: Lane): Handler {
  const isReadable = method.protocols.has("connect") && isWithoutSideEffects(method);
  const allow = isReadable ? "GET, POST" : "POST";

  return (exchange) => {
    if (exchange.httpVersion === 1 && method.kind === "bidi_streaming") {
      refuse(exchange, 505, `${method.path}: ${bidiNeedsHttp2}`, { connection: "close" });
      return;
    }
    const query = isReadable && exchange.method === "GET" ? new URLSearchParams(exchange.query) : undefined;
    if (query === undefined && exchange.method !== "POST") {
      refuse(exchange, 405, `${method.path}: expected ${allow}, found ${shorten(exchange.method)}`, { allow });
      return;
    }
    const format = query === undefined ? bodyFormat(method, exchange) : queryFormat(exchange, query);
    if (format === undefined)
      refuse(exchange, 415, unsupported(method, exchange, query), { "accept-post": accepted(method) });
    else lane(format, exchange, query);
  };
}

function isWithoutSideEffects({ spec }: Method): boolean {
  return spec.kind === "unary" && spec.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

function bodyFormat(method: Method, exchange: Exchange): Format | undefined {
  const format = parseFormat(exchange.headers["content-type"]);
  return format !== undefined && isServed(method, format) ? format : undefined;
}

function isServed(method: Method, format: Format): boolean {
  if (!method.protocols.has(format.protocol)) return false;
  return format.protocol !== "connect" || format.isEnveloped === (method.kind !== "unary");
}

/** A GET has no content, so that a content type matters only if it says that the request is of another protocol. */
function queryFormat(exchange: Exchange, query: URLSearchParams): Format | undefined {
  const contentType = exchange.headers["content-type"];
  if (contentType !== undefined && parseFormat(contentType)?.isEnveloped !== false) return undefined;
  return getFormats.get(query.get("encoding") ?? "");
}

function unsupported(method: Method, exchange: Exchange, query: URLSearchParams | undefined): string {
  const contentType = exchange.headers["content-type"];
  if (query !== undefined && contentType === undefined) {
    return `${method.path}: query parameter "encoding": expected "json" or "proto", found ${quote(query.get("encoding") ?? "")}`;
  }
  return `${method.path}: content-type: expected one of ${accepted(method)}; found ${shorten(contentType ?? "none")}`;
}

/** The content types that may call the method, in order of the protocols' age. */
function accepted(method: Method): string {
  const names = ["application/grpc", "application/grpc+json", "application/grpc-web", "application/grpc-web+json"];
  names.push("application/grpc-web-text", "application/proto", "application/json");
  names.push("application/connect+proto", "application/connect+json");
  return names.filter((name) => isServed(method, parseFormat(name) as Format)).join(", ");
}
