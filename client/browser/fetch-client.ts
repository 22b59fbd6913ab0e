/** Sends the requests of transports by `fetch`, which browsers have instead of sockets. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientFn, UniversalClientRequest } from "@connectrpc/connect/protocol";

/** Sends a request; `fetch` is one. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Headers that the browser sets itself (https://fetch.spec.whatwg.org/#forbidden-request-header), and its name. */
const requestHeadersOfBrowser = ["accept-encoding", "connection", "content-length", "te", "user-agent"];

/** Headers of the body as it was sent. `fetch` gives it decompressed. */
const responseHeadersOfBody = ["content-encoding", "content-length"];

/**
 * Makes a client that collects the body of a request before it sends it: of all browsers only Chromium sends a body as
 * it is written, and only over HTTP/2. A request that gets no response fails with `unavailable`.
 *
 * @param closing returns the signal that ends requests under way
 */
export function createFetchClient(fetch: Fetch, closing: () => AbortSignal): UniversalClientFn {
  return async (request) => {
    const signals = [request.signal, closing()].filter((signal) => signal !== undefined);
    const signal = AbortSignal.any(signals);
    try {
      const response = await fetch(request.url, await toInit(request, signal));
      return {
        status: response.status,
        header: without(response.headers, responseHeadersOfBody),
        body: readBody(response, signal),
        trailer: new Headers(),
      };
    } catch (reason) {
      throw toCallError(reason, signal);
    }
  };
}

async function toInit({ method, header, body }: UniversalClientRequest, signal: AbortSignal): Promise<RequestInit> {
  const init = { method, headers: without(header, requestHeadersOfBrowser), signal, redirect: "error" } as const;
  return body === undefined ? init : { ...init, body: await collect(body) };
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Blob> {
  const chunks: BlobPart[] = [];
  for await (const chunk of body) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  return new Blob(chunks);
}

function without(from: Headers, names: readonly string[]): Headers {
  const headers = new Headers(from);
  for (const name of names) headers.delete(name);
  return headers;
}

async function* readBody({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (reason) {
    throw toCallError(reason, signal);
  } finally {
    // A caller that reads no further ends the request. The error of one that has failed has been thrown already.
    reader.cancel().catch(() => {});
  }
}

/** What `fetch` says of a lost connection and of CORS is a TypeError, with a text that differs from browser to browser. */
function toCallError(reason: unknown, { aborted, reason: abortReason }: AbortSignal): unknown {
  if (aborted) return abortReason;
  if (!(reason instanceof TypeError)) return reason;
  return new ConnectError(reason.message, Code.Unavailable, undefined, undefined, reason);
}
