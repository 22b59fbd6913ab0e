// Connections that end at their age under load lose no call, and callers come back on new ones.
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createTransport, type TransportOptions } from "../../../client/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { startTargetForTest } from "../../support/foreign-target.js";
import { openCaller1 } from "../../support/load/callers.js";
import { connectCall } from "../../support/load/calls.js";
import { startLoad } from "../../support/load/load.js";

const aging = { lane: "fast", security: "plaintext", maxConnectionAgeMs: 200 } as const;

test.each<Pick<TransportOptions, "protocol" | "httpVersion">>([
  { protocol: "grpc" },
  { protocol: "grpc-web", httpVersion: "2" },
  { protocol: "connect", httpVersion: "2" },
  { protocol: "connect", httpVersion: "1.1" },
])("our client, $protocol, HTTP/$httpVersion", async (options) => {
  const target = await startTargetForTest(aging);
  const transport = createTransport({ baseUrl: target.url, ...options });
  const client = createClient(TestService, transport);
  const calls: Promise<string>[] = [];
  while (target.peers.size < 5) {
    calls.push(
      client.unary({ text: "whole", waitMs: 5 }).then(
        ({ text }) => text,
        (error: Error) => error.message,
      ),
    );
    await delay(2);
  }
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["whole"]));
  transport.close();
});

test("keep-alive connections of HTTP/1.1", async () => {
  const target = await startTargetForTest(aging);
  const load = startLoad(
    Array.from({ length: 4 }, () => openCaller1(target.url, connectCall)),
    10,
  );
  await expect.poll(() => target.peers.size, { timeout: 10_000 }).toBeGreaterThan(12);
  load.stop();
  const { lost, turnedAway } = await load.ended;
  expect([lost, turnedAway]).toEqual([[], 0]);
});
