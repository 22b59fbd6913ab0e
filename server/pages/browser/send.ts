// Sends one request of the page and measures it: bytes of the bodies, and the time until the last of them has come.

import type { OnMessage } from "./body-readers.js";
import type { Call } from "./lines.js";
import type { Protocol } from "./protocols.js";
import type { Verdict } from "./verdicts.js";

/** What a call came to, and what it took. */
export interface Outcome extends Verdict {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** How the response was compressed; then `receivedBytes` is its size after decompression, unless its head had a length. */
  readonly encoding: string | undefined;
  readonly durationMs: number;
}

/** Makes a call. Never rejects: what fails on the way is an outcome, too. */
export async function send(
  protocol: Protocol,
  call: Call,
  signal: AbortSignal,
  onMessage: OnMessage,
): Promise<Outcome> {
  const began = performance.now();
  const bytes = { sentBytes: 0, receivedBytes: 0, encoding: undefined as string | undefined };
  const finish = (verdict: Verdict): Outcome => ({ ...verdict, ...bytes, durationMs: performance.now() - began });
  try {
    const request = protocol.request(call);
    const body = typeof request.body === "string" ? new TextEncoder().encode(request.body) : request.body;
    bytes.sentBytes = body?.length ?? 0;
    const response = await fetch(request.url, {
      method: request.method,
      headers: { ...call.headers, ...request.headers },
      body: body ?? null,
      signal,
      cache: "no-store",
    });
    const reader = protocol.read(response, onMessage);
    for await (const chunk of chunksOf(response)) {
      bytes.receivedBytes += chunk.length;
      reader.push(chunk);
    }
    const length = response.headers.get("content-length");
    const encoding = response.headers.get("content-encoding") ?? undefined;
    if (encoding !== undefined && length !== null) bytes.receivedBytes = Number(length);
    else bytes.encoding = encoding;
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
