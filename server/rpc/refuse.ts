// Answers to requests that do not become calls.
import { Code, ConnectError } from "@connectrpc/connect";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import type { Method } from "../call/method.js";
import type { NodeServerRequest, NodeServerResponse } from "../listen/handler.js";
import { encodeEnvelope } from "./envelope.js";
import { type Format, parseFormat } from "./format.js";

/** Refuses a request with an HTTP status and, for people and Connect clients, an error as Connect writes it. */
export function refuse(
  response: NodeServerResponse,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  const body = errorToJsonBytes(new ConnectError(message, Code.Unknown), undefined);
  response.writeHead(status, { ...headers, "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

/** Answers a request to a path that nothing is served at: 404, with the error as google.rpc.Status. */
export function refuseUnknownPath(path: string, response: NodeServerResponse): void {
  const body = JSON.stringify({ code: Code.NotFound, message: `nothing is served at ${path}`, details: [] });
  response.writeHead(404, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/** The path of an RPC: `/package.Service/Method`. */
const rpcPath = /^\/(?<service>[\w.]+)\/(?<method>\w+)$/;

/**
 * Answers a request to a path that is no method of the server, in the protocol that the request speaks: gRPC and
 * gRPC-Web get the status UNIMPLEMENTED on HTTP 200, Connect its own error.
 *
 * @returns false, with nothing done, if the request is no call in any protocol.
 */
export function refuseUnknownMethod(
  path: string,
  methods: ReadonlyMap<string, Method>,
  request: NodeServerRequest,
  response: NodeServerResponse,
): boolean {
  const format = parseFormat(request.headers["content-type"]);
  const { service, method } = rpcPath.exec(path)?.groups ?? {};
  const isMarked = request.headers["connect-protocol-version"] !== undefined;
  if (format === undefined || request.method !== "POST") return false;
  if (service === undefined && !format.isEnveloped && !isMarked) return false;
  const isKnownService = [...methods.keys()].some((known) => known.startsWith(`/${service}/`));
  const message = isKnownService ? `service ${service} has no method ${method}` : `unknown service ${service ?? path}`;
  sendError(response, format, new ConnectError(message, Code.Unimplemented));
  return true;
}

function sendError(response: NodeServerResponse, format: Format, error: ConnectError): void {
  const contentType = { "content-type": format.contentType };
  if (format.protocol !== "connect") {
    response.writeHead(200, {
      ...contentType,
      "grpc-status": String(error.code),
      "grpc-message": encodeURIComponent(error.rawMessage),
    });
    response.end();
  } else if (format.isEnveloped) {
    const end = JSON.stringify(endStreamToJson(new Headers(), error, undefined));
    response.writeHead(200, contentType);
    response.end(encodeEnvelope(endStreamFlag, Buffer.from(end)));
  } else {
    sendConnectError(response, error);
  }
}

/** Answers a unary call over Connect with an error. */
export function sendConnectError(response: NodeServerResponse, error: ConnectError): void {
  const body = errorToJsonBytes(error, undefined);
  const headers = { "content-type": "application/json", "content-length": body.length };
  response.writeHead(codeToHttpStatus(error.code), headers);
  response.end(body);
}
