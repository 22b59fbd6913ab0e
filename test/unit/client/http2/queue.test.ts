// Calls for which the server has no room, or which are too many.
import { Code, createClient } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../../../client/index.js";
import { TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { startServer } from "../../../support/server.js";
import { openPool } from "./open-pool.js";
import { answer, failureOf, type Peer, startScriptedServer, until } from "./scripted-server.js";

test.each([
  ["unary calls", 1],
  ["unary calls", 3],
  ["streams", 1],
  ["streams", 3],
] as const)(
  "500 %s at a server's limit of 100 all succeed, on %d connections at most",
  async (kind, maxConnections) => {
    await using server = await startServer({ limits: { streamsPerConnection: 100 } });
    const transport = createTransport({ protocol: "grpc", baseUrl: server.url, maxConnections });
    onTestFinished(() => transport.close());
    const client = createClient(TestService, transport);
    const call = async (text: string) => {
      if (kind === "unary calls") return (await client.unary({ text, waitMs: 10 })).text;
      let count = 0;
      for await (const _ of client.serverStream({ text, count: 3, waitMs: 5 })) count++;
      return `${text} ${count}`;
    };
    const texts = Array.from({ length: 500 }, (_, index) => `call ${index}`);
    const replies = await Promise.all(texts.map(call));
    expect(replies).toEqual(kind === "unary calls" ? texts : texts.map((text) => `${text} 3`));
  },
);

test("another connection is opened when the streams of all are taken, up to maxConnections", async () => {
  const { url, peers } = await startScriptedServer({ settings: [[3, 1]] });
  const { client } = openPool(url, { maxConnections: 2 });
  const calls = [1, 2, 3].map(() => client.unary({}));
  await until(() => peers.length === 2 && peers.every(({ requests }) => requests.length === 1));
  await peers[1]?.roundTrip();
  expect(peers.length).toBe(2);
  answer(1, peers[1] as Peer);
  await until(() => peers[1]?.requests.length === 2);
  answer(3, peers[1] as Peer);
  answer(1, peers[0] as Peer);
  await Promise.all(calls);
  // Those that are used less are closed when they have been idle for long enough: the first is taken first.
  const last = client.unary({});
  await until(() => peers[0]?.requests.length === 2);
  answer(3, peers[0] as Peer);
  await last;
});

test("a server that allows no stream gets one connection", async () => {
  const { url, peers } = await startScriptedServer({ settings: [[3, 0]] });
  const { client } = openPool(url);
  expect(await failureOf(client.unary({}, { timeoutMs: 100 }))).toBe("[deadline_exceeded] the operation timed out");
  expect(peers.length).toBe(1);
});

test("a call above maxPendingCalls fails with resource_exhausted, and the others do not", async () => {
  const { url, peers } = await startScriptedServer({ settings: [[3, 1]], onRequest: () => {} });
  const { client } = openPool(url, { maxConnections: 1, maxPendingCalls: 2 });
  const first = client.unary({});
  await until(() => peers[0]?.requests.length === 1);
  const waiting = [client.unary({}), client.unary({})];
  const text = "maxPendingCalls: 2 calls wait for a connection already";
  await expect(client.unary({})).rejects.toMatchObject({ code: Code.ResourceExhausted, rawMessage: text });
  for (const id of [1, 3, 5]) {
    await until(() => peers[0]?.requests.includes(id) === true);
    answer(id, peers[0] as Peer);
  }
  await Promise.all([first, ...waiting]);
  const next = client.unary({});
  await until(() => peers[0]?.requests.includes(7) === true);
  answer(7, peers[0] as Peer);
  await next;
});

test("the deadline of a call that waits counts, and no stream is opened for it", async () => {
  const { url, peers } = await startScriptedServer({ settings: [[3, 1]] });
  const { client } = openPool(url, { maxConnections: 1 });
  const first = client.unary({});
  await until(() => peers[0]?.requests.length === 1);
  expect(await failureOf(client.unary({}, { timeoutMs: 30 }))).toBe("[deadline_exceeded] the operation timed out");
  answer(1, peers[0] as Peer);
  await first;
  await peers[0]?.roundTrip();
  expect(peers[0]?.requests).toEqual([1]);
});
