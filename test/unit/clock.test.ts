// The clock of the process, where the event loop was busy.
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../server/clock.js";

/** Keeps the event loop busy. */
function block(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test("a timer comes after the bytes that have arrived", async () => {
  const order: string[] = [];
  const server = createServer((socket) => {
    systemClock.schedule(() => order.push("timer"), 30);
    socket.on("data", () => order.push("bytes"));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(server, "connection");
  socket.write("x");
  block(60);
  await expect.poll(() => order.length).toBe(2);
  expect(order).toEqual(["bytes", "timer"]);
});

test("a timer can be canceled by what arrives", async () => {
  let hasFired = false;
  const cancel = systemClock.schedule(() => {
    hasFired = true;
  }, 10);
  setImmediate(cancel);
  block(60);
  await delay(20);
  expect(hasFired).toBe(false);
});

test("a timer is called", async () => {
  const firedMs = await new Promise<number>((resolve) => {
    const startMs = systemClock.now();
    systemClock.schedule(() => resolve(systemClock.now() - startMs), 20);
    setTimeout(() => {}, 100);
  });
  expect(firedMs).toBeGreaterThanOrEqual(19);
});
