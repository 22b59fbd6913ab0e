// Measures the size of response headers and trailers, and limits it.
import type { OutgoingHttpHeaders } from "node:http";

/**
 * Maximum size of the headers, and of the trailers, of a response in bytes, as `headerBytes` counts them. From 65,536 on,
 * nghttp2 fails the whole connection. This leaves room for what Node adds (`:status`, `date`).
 */
export const maxHeaderBytes = 64_000;

/** Thrown instead of sending headers or trailers over the limit. */
export class HeaderSizeError extends Error {
  override readonly name = "HeaderSizeError";
  readonly bytes: number;
  readonly limitBytes: number;

  constructor(kind: "headers" | "trailers", bytes: number, limitBytes: number) {
    super(`response ${kind}: expected at most ${limitBytes} bytes, found ${bytes}`);
    this.bytes = bytes;
    this.limitBytes = limitBytes;
  }
}

/** Counts as RFC 9113 section 6.5.2 does: names, values, and 32 for each field. */
export function headerBytes(headers: OutgoingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (!Array.isArray(value)) bytes += name.length + String(value).length + 32;
    else for (const one of value) bytes += name.length + String(one).length + 32;
  }
  return bytes;
}

/** Every client accepts headers up to this size, so its limit is not looked up. */
const smallHeaderBytes = 4096;

/** @throws HeaderSizeError if headers are over `exchange.maxHeaderBytes` */
export function checkHeaderSize(
  exchange: { readonly maxHeaderBytes: number },
  headers: OutgoingHttpHeaders,
  kind: "headers" | "trailers",
): void {
  checkHeaderBytes(exchange, headerBytes(headers), kind);
}

/** As `checkHeaderSize`, for headers whose size is known. */
export function checkHeaderBytes(
  exchange: { readonly maxHeaderBytes: number },
  bytes: number,
  kind: "headers" | "trailers",
): void {
  if (bytes > smallHeaderBytes && bytes > exchange.maxHeaderBytes) {
    throw new HeaderSizeError(kind, bytes, exchange.maxHeaderBytes);
  }
}
