// Sends one request of the page and measures it: bytes of the bodies, and the time until the response ends.
import type { OnMessage } from "./body-readers.js";
import type { Call } from "./lines.js";
import type { Protocol } from "./protocols.js";
import type { Pair, Verdict } from "./verdicts.js";

/** The result of a call, with sizes and duration. */
export interface Outcome extends Verdict {
  /** Of a request that was streamed, the bytes of its first messages. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** How the response was compressed; then `receivedBytes` is its size after decompression, unless it had a length. */
  readonly encoding: string | undefined;
  readonly durationMs: number;
  readonly headers: readonly Pair[];
}

/**
 * Makes a call. Never rejects: a failure on the way is an outcome, too.
 *
 * @param stream the body of the request, if it is not sent as a whole
 */
export async function send(
  protocol: Protocol,
  call: Call,
  signal: AbortSignal,
  onMessage: OnMessage,
  stream?: ReadableStream<Uint8Array>,
): Promise<Outcome> {
  const began = performance.now();
  const seen = { sentBytes: 0, receivedBytes: 0, encoding: undefined as string | undefined, headers: [] as Pair[] };
  const finish = (verdict: Verdict): Outcome => ({ ...verdict, ...seen, durationMs: performance.now() - began });
  try {
    const request = protocol.request(call);
    const body = typeof request.body === "string" ? new TextEncoder().encode(request.body) : request.body;
    seen.sentBytes = body?.length ?? 0;
    const response = await fetch(request.url, {
      method: request.method,
      headers: { ...call.headers, ...request.headers },
      body: stream ?? body ?? null,
      signal,
      cache: "no-store",
      // Required for a stream, https://fetch.spec.whatwg.org/#dom-requestinit-duplex.
      ...(stream === undefined ? {} : { duplex: "half" }),
    });
    seen.headers = [...response.headers];
    const reader = protocol.read(response, onMessage);
    for await (const chunk of chunksOf(response)) {
      seen.receivedBytes += chunk.length;
      reader.push(chunk);
    }
    const length = response.headers.get("content-length");
    const encoding = response.headers.get("content-encoding") ?? undefined;
    if (encoding !== undefined && length !== null) seen.receivedBytes = Number(length);
    else seen.encoding = encoding;
    return finish(reader.end());
  } catch (error) {
    if (signal.aborted) return finish({ isOk: false, status: "stopped" });
    return finish({ isOk: false, status: "failed", error: (error as Error).message });
  }
}

/** Not every browser can iterate over a stream. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) return;
    yield value;
  }
}
