// Settles how a request calls a method (protocol, codec, shape) and hands it to a lane, or says why it cannot.
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Method } from "../call/method.js";
import type { NodeHandler, NodeServerRequest } from "../listen/handler.js";
import { type Format, getFormats, parseFormat } from "./format.js";
import type { Lane } from "./lane.js";
import { refuse } from "./refuse.js";

/** Makes the function that answers requests to one method's path. */
export function createRpcHandler(method: Method, lane: Lane): NodeHandler {
  const isReadable = method.protocols.has("connect") && isWithoutSideEffects(method);
  const allow = isReadable ? "GET, POST" : "POST";

  return (request, response) => {
    if (request.httpVersionMajor === 1 && method.spec.kind === "bidi_streaming") {
      // A client that waits for replies while it is still sending would hang: the connection has to be closed.
      refuse(response, 505, `${method.path}: bidirectional streams need HTTP/2`, { connection: "close" });
      return;
    }
    const query = isReadable && request.method === "GET" ? queryOf(request) : undefined;
    if (query === undefined && request.method !== "POST") {
      refuse(response, 405, `${method.path}: expected ${allow}, found ${request.method}`, { allow });
      return;
    }
    const format = query === undefined ? bodyFormat(method, request) : queryFormat(request, query);
    if (format === undefined)
      refuse(response, 415, unsupported(method, request, query), { "accept-post": accepted(method) });
    else lane(format, request, response, query);
  };
}

function isWithoutSideEffects({ spec }: Method): boolean {
  return spec.kind === "unary" && spec.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

function bodyFormat(method: Method, request: NodeServerRequest): Format | undefined {
  const format = parseFormat(request.headers["content-type"]);
  return format !== undefined && isServed(method, format) ? format : undefined;
}

function isServed(method: Method, format: Format): boolean {
  if (!method.protocols.has(format.protocol)) return false;
  return format.protocol !== "connect" || format.isEnveloped === (method.spec.kind !== "unary");
}

/** A GET has no content, so that a content type matters only if it says that the request is of another protocol. */
function queryFormat(request: NodeServerRequest, query: URLSearchParams): Format | undefined {
  const contentType = request.headers["content-type"];
  if (contentType !== undefined && parseFormat(contentType)?.isEnveloped !== false) return undefined;
  return getFormats.get(query.get("encoding") ?? "");
}

function queryOf({ url = "" }: NodeServerRequest): URLSearchParams {
  const start = url.indexOf("?");
  return new URLSearchParams(start < 0 ? "" : url.slice(start));
}

function unsupported(method: Method, request: NodeServerRequest, query: URLSearchParams | undefined): string {
  const contentType = request.headers["content-type"];
  if (query !== undefined && contentType === undefined) {
    return `${method.path}: query parameter "encoding": expected "json" or "proto", found "${query.get("encoding") ?? ""}"`;
  }
  return `${method.path}: content-type: expected one of ${accepted(method)}; found ${contentType ?? "none"}`;
}

/** The content types that may call the method, in order of the protocols' age. */
function accepted(method: Method): string {
  const names = ["application/grpc", "application/grpc+json", "application/grpc-web", "application/grpc-web+json"];
  names.push("application/grpc-web-text", "application/proto", "application/json");
  names.push("application/connect+proto", "application/connect+json");
  return names.filter((name) => isServed(method, parseFormat(name) as Format)).join(", ");
}
