/** Builds HTTP requests from encoded requests: URL, headers and body. */
import type { UnaryRequest } from "@connectrpc/connect";
import { createAsyncIterable, type UniversalClientResponse } from "@connectrpc/connect/protocol";
import type { EncodedRequest } from "../server/rest/write/request.js";
import type { ClientFn } from "./call-init.js";
import type { CallSettings } from "./call-settings.js";
import { setRestTimeout } from "./timeout.js";

/** Sends a request. */
export type Open = (
  request: Pick<UnaryRequest, "header" | "signal" | "contextValues">,
  encoded: EncodedRequest,
  body: AsyncIterable<Uint8Array> | undefined,
  settings: CallSettings | undefined,
) => Promise<UniversalClientResponse>;

/** What requests are sent with. */
interface OpenOptions {
  /** What the paths of routes are added to. */
  readonly baseUrl: string;
  readonly httpVersion: "1.1" | "2";
  readonly httpClient: ClientFn;
}

export function createOpener({ baseUrl, httpVersion, httpClient }: OpenOptions): Open {
  const base = baseUrl.replace(/\/$/, "");
  return ({ header, signal, contextValues }, { httpMethod, path, query }, body, settings) => {
    askForTrailers(header, httpVersion);
    const url = `${base}${path}${query === "" ? "" : `?${query}`}`;
    return httpClient({
      url,
      method: httpMethod,
      header,
      signal,
      waitsForReady: settings?.waits(contextValues),
      ...(body !== undefined && { body }),
    });
  };
}

export function requestHeader(init: HeadersInit | undefined, timeoutMs: number | undefined): Headers {
  const header = new Headers(init);
  if (timeoutMs !== undefined) setRestTimeout(header, timeoutMs);
  return header;
}

/** Servers send trailers only to clients that ask for them (RFC 9110 section 6.5.1). */
function askForTrailers(header: Headers, httpVersion: "1.1" | "2"): void {
  setDefault(header, "te", "trailers");
  // HTTP/1.1 requires the name among the connection options (section 10.1.4). HTTP/2 has no such header.
  const isNamed = /\bte\b/i.test(header.get("connection") ?? "");
  if (httpVersion === "1.1" && !isNamed) header.append("connection", "TE");
}

/** Sets a header unless the caller has set it. */
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
  const bytes = body.kind === "json" ? new TextEncoder().encode(body.text) : body.data;
  const contentType = body.kind === "json" ? "application/json" : body.contentType;
  if (contentType !== undefined) header.set("content-type", contentType);
  header.set("content-length", String(bytes.length));
  return createAsyncIterable([bytes]);
}
