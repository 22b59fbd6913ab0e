// A stream over REST needs no more memory for many replies than for few, however slowly they are read. The server is a
// process of its own, so that what is measured is its memory alone.
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { type HttpVersion, openHttp2 } from "../../support/http.js";
import { type Child, startChild } from "../../support/process/child.js";

/** How many replies a stream has. A million of them take ten seconds a test. */
const count = Number(process.env.REST_STREAM_MESSAGES ?? 20_000);
const text = "x".repeat(400);
const httpRules = { rules: [{ selector: "manywire.test.v1.TestService.ServerStream", get: "/v1/stream" }] };
const path = `/v1/stream?text=${text}&count=${count}`;

/** How much more a server may hold while a client reads slowly: buffers of its connection, and one batch of replies. */
const mostBytes = 3 * 1024 * 1024;

async function open(url: string, httpVersion: HttpVersion, headers: Record<string, string>): Promise<Readable> {
  if (httpVersion === "1.1") {
    const [response] = await once(get(`${url}${path}`, { headers, agent: false }), "response");
    return response as IncomingMessage;
  }
  const connection = await openHttp2(url);
  onTestFinished(() => connection[Symbol.asyncDispose]());
  return connection.begin({ method: "GET", path, headers }) as Readable;
}

/** What the server holds, after it has had time to run ahead of its reader. */
async function heldBy(child: Child): Promise<number> {
  await delay(50);
  return (await child.report()).heldBytes;
}

test.each<[HttpVersion, string, string]>([
  ["1.1", "application/json", "identity"],
  ["1.1", "application/x-ndjson", "identity"],
  ["1.1", "text/event-stream", "identity"],
  ["1.1", "application/x-ndjson", "gzip"],
  ["2", "application/json", "identity"],
  ["2", "application/x-ndjson", "br"],
  ["2", "text/event-stream", "identity"],
])(
  "HTTP/%s, %s, %s: the memory of a long stream is flat",
  { timeout: 120_000 },
  async (httpVersion, accept, coding) => {
    const child = await startChild({ httpRules });
    onTestFinished(async () => void (await child.close()));
    const before = (await child.report()).heldBytes;
    const source = await open(child.url, httpVersion, { accept, "accept-encoding": coding });
    const decoder = { gzip: createGunzip, br: createBrotliDecompress }[coding];
    const body = decoder === undefined ? source : source.pipe(decoder());
    const held: number[] = [];
    let found = 0;
    for await (const chunk of body) {
      found += (chunk as Buffer).toString("latin1").split('"text"').length - 1;
      // The reader pauses here, a few times on its way.
      if (found >= (count * held.length) / 5) held.push((await heldBy(child)) - before);
    }
    expect(found).toBeGreaterThan(count * 0.99);
    expect(held.length).toBeGreaterThanOrEqual(5);
    expect(Math.max(...held)).toBeLessThan(mostBytes);
  },
);
