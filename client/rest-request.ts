/** Turns requests that have been encoded into requests of HTTP: address, headers and body. */
import {
  createAsyncIterable,
  type UniversalClientFn,
  type UniversalClientResponse,
} from "@connectrpc/connect/protocol";
import type { EncodedRequest } from "../server/rest/encode.js";

/** Sends a request. */
export type Open = (
  request: Pick<Sent, "header" | "signal">,
  encoded: EncodedRequest,
  body: AsyncIterable<Uint8Array> | undefined,
) => Promise<UniversalClientResponse>;
type Sent = Parameters<UniversalClientFn>[0];

/** @param baseUrl what the paths of routes are added to */
export function createOpener({ baseUrl, httpClient }: { baseUrl: string; httpClient: UniversalClientFn }): Open {
  const base = baseUrl.replace(/\/$/, "");
  return ({ header, signal }, { httpMethod, path, query }, body) => {
    const url = `${base}${path}${query === "" ? "" : `?${query}`}`;
    return httpClient({
      url,
      method: httpMethod,
      header,
      ...(signal !== undefined && { signal }),
      ...(body !== undefined && { body }),
    });
  };
}

/** Says the deadline in both ways that servers of such routes know: Google's, and grpc-gateway's. */
export function requestHeader(init: HeadersInit | undefined, timeoutMs: number | undefined): Headers {
  const header = new Headers(init);
  if (timeoutMs === undefined) return header;
  header.set("x-server-timeout", String(timeoutMs / 1000));
  header.set("grpc-timeout", timeoutMs < 1e8 ? `${Math.ceil(timeoutMs)}m` : `${Math.ceil(timeoutMs / 1000)}S`);
  return header;
}

/** Sets a header that the caller has not. */
export function setDefault(header: Headers, name: string, value: string): void {
  if (!header.has(name) && value !== "") header.set(name, value);
}

/** The body of a request that has one message, and the headers that belong to it. */
export function wholeBody(
  header: Headers,
  { httpMethod, body }: EncodedRequest,
): AsyncIterable<Uint8Array> | undefined {
  if (body.kind === "none") {
    if (!["GET", "HEAD", "DELETE"].includes(httpMethod)) header.set("content-length", "0");
    return undefined;
  }
  const bytes = body.kind === "json" ? Buffer.from(body.text) : body.data;
  const contentType = body.kind === "json" ? "application/json" : body.contentType;
  if (contentType !== undefined) header.set("content-type", contentType);
  header.set("content-length", String(bytes.length));
  return createAsyncIterable([bytes]);
}
