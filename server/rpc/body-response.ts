// Writes responses whose body is whole, compressed where that is accepted and worth it: unary calls over Connect, and REST.
import type { OutgoingHttpHeaders } from "node:http";
import type { Compression } from "@connectrpc/connect/protocol";
import { type Body, type Exchange, toBytes } from "../http/exchange.js";
import { checkHeaderSize } from "../http/header.js";

/** A response whose body is whole. */
export interface BodyResponse {
  readonly status: number;
  /** Without a length. Not used again after the response was sent. */
  readonly headers: OutgoingHttpHeaders;
  readonly body: Body;
  /** Undefined for none. */
  readonly trailers: OutgoingHttpHeaders | undefined;
  /** The compression that the client accepts, if there is one. */
  readonly compression: Compression | null | undefined;
  /** Smaller bodies are not compressed. */
  readonly compressMinBytes: number;
}

/** The response as it is to be sent. Rejects with ConnectError `internal` if its body cannot be compressed. */
export function compressBody(response: BodyResponse): BodyResponse | Promise<BodyResponse> {
  const { compression, body, compressMinBytes } = response;
  if (compression === null || compression === undefined || Buffer.byteLength(body) < compressMinBytes) return response;
  const headers = { ...response.headers, "content-encoding": compression.name };
  return compression.compress(toBytes(body)).then((compressed) => ({ ...response, headers, body: compressed }));
}

/**
 * Sends a response, unless the client has left.
 *
 * @throws HeaderSizeError or TypeError if headers or trailers cannot be sent, with nothing sent
 */
export function sendBody(exchange: Exchange, { status, headers, body, trailers }: BodyResponse): void {
  if (exchange.isClosed) return;
  // A length and trailers exclude each other in HTTP/1.1.
  if (trailers === undefined) {
    headers["content-length"] = Buffer.byteLength(body);
  } else {
    headers.trailer = Object.keys(trailers).join(", ");
    checkHeaderSize(exchange, trailers, "trailers");
  }
  exchange.sendHead(status, headers, trailers !== undefined);
  exchange.end(exchange.method === "HEAD" ? undefined : body, trailers);
}

/** Sends the response of a call that failed. A body that cannot be compressed is sent as it is, and `warn` is called. */
export function sendErrorBody(
  exchange: Exchange,
  response: BodyResponse,
  warn: (warning: string) => void,
): Promise<void> | undefined {
  const compressed = compressBody(response);
  if (!(compressed instanceof Promise)) {
    sendBody(exchange, compressed);
    return undefined;
  }
  return compressed
    .catch((reason: Error) => {
      warn(`error not compressed: ${reason.message}`);
      return response;
    })
    .then((sent) => sendBody(exchange, sent));
}
