// Requests over TLS and HTTP/1.1 whose records come otherwise than they were sent: TCP knows no records.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Exchange, respond } from "../../../server/http/exchange.js";
import { serverIdentity as tls } from "../../support/certificates.js";
import { openRaw } from "../../support/raw-socket.js";
import { startListener } from "./support.js";

/** Passes on what a client has sent when it pauses, in chunks of `pieceBytes`. */
async function passOnSlowly(near: Socket, far: Socket, pieceBytes: number): Promise<void> {
  let held: Buffer[] = [];
  near.on("data", (chunk: Buffer) => held.push(chunk));
  while (!near.destroyed) {
    const before = held.length;
    await delay(10);
    if (held.length !== before) continue;
    const bytes = Buffer.concat(held);
    held = [];
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      far.write(bytes.subarray(start, start + pieceBytes));
      await delay(1);
    }
  }
}

/** A relay to the URL's port. */
async function startRelay(url: string, pieceBytes: number): Promise<string> {
  const relay = createServer((near) => {
    const far = connect({ port: Number(new URL(url).port), host: "127.0.0.1", noDelay: true });
    far.pipe(near);
    near.on("error", () => {}).on("close", () => far.destroy());
    far.on("error", () => {}).on("close", () => near.destroy());
    void passOnSlowly(near, far, pieceBytes);
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  onTestFinished(() => void relay.close());
  return `https://127.0.0.1:${(relay.address() as AddressInfo).port}`;
}

/** More than Node takes to the connection at once: it reads no further request until it has left. */
const answerBytes = 200_000;
const answerWell = (exchange: Exchange) => respond(exchange, 200, {}, Buffer.alloc(answerBytes, "."));

test.each([
  ["joined", 1_000_000],
  ["cut at every 37th byte", 37],
])("requests in separate records all get a response when the records are %s", async (_, pieceBytes) => {
  await using server = await startListener({ tls, handler: answerWell });
  await using raw = await openRaw(await startRelay(server.url, pieceBytes));
  const count = 6;
  for (let index = 1; index <= count; index++) {
    const isLast = index === count;
    raw.write(`GET /${index} HTTP/1.1\r\nHost: localhost\r\n${isLast ? "Connection: close\r\n" : ""}\r\n`);
    // What is written together goes into one record.
    await delay(1);
  }
  await raw.closed;
  expect(raw.text.match(/HTTP\/1\.1 \d+/g)).toEqual(Array(count).fill("HTTP/1.1 200"));
  expect(raw.text.match(/\./g)?.length).toBeGreaterThanOrEqual(count * answerBytes);
  expect(server.errors).toEqual([]);
});
