// Which of several servers get the calls.
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseBaseUrl } from "../../../../client/base-url.js";
import { openHttp2 } from "../../../../client/connections.js";
import { createTransport, type TransportOptions } from "../../../../client/index.js";
import { TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { certificate, startServer } from "../server.js";
import {
  answer,
  failureOf,
  goaway,
  type Peer,
  reply,
  type Script,
  type ScriptedServer,
  startScriptedServer,
  until,
} from "./scripted-server.js";

const hostOf = ({ url }: ScriptedServer) => url.slice("http://".length);

function open(servers: readonly ScriptedServer[], options: Partial<TransportOptions> = {}) {
  const addresses = servers.map(hostOf);
  const transport = createTransport({ protocol: "grpc", baseUrl: "http://test.invalid", addresses, ...options });
  onTestFinished(() => transport.close());
  return createClient(TestService, transport);
}

const start = (count: number, script: Script = { onRequest: answer }) =>
  Promise.all(Array.from({ length: count }, () => startScriptedServer(script)));

/** How many requests each server has had, on all its connections. */
const countsOf = (servers: readonly ScriptedServer[]) =>
  servers.map(({ peers }) => peers.reduce((sum, { requests }) => sum + requests.length, 0));

/** How many connections each server has had. */
const connectionsOf = (servers: readonly ScriptedServer[]) => servers.map(({ peers }) => peers.length);

const protocols = ["grpc", "grpc-web", "connect", "rest"] as const;
const spreading = ["round_robin", "least_pending"] as const;

test("pick_first connects to the first address, and to no other", async () => {
  const servers = await start(2);
  const client = open(servers);
  for (let count = 0; count < 3; count++) await client.unary({});
  expect(countsOf(servers)).toEqual([3, 0]);
  expect(connectionsOf(servers)).toEqual([1, 0]);
});

test("pick_first goes to the next address where the first cannot be reached", async () => {
  const [dead, alive] = (await start(2)) as [ScriptedServer, ScriptedServer];
  await dead.close();
  const client = open([dead, alive]);
  await client.unary({});
  expect(countsOf([dead, alive])).toEqual([0, 1]);
});

test("pick_first goes to the next address after 250 ms where the first is silent", async () => {
  const mute = await startScriptedServer({ settings: null });
  const alive = await startScriptedServer({ onRequest: answer });
  const client = open([mute, alive]);
  const beganAt = performance.now();
  await client.unary({});
  expect(performance.now() - beganAt).toBeGreaterThanOrEqual(240);
  expect(countsOf([mute, alive])).toEqual([0, 1]);
  await until(() => mute.peers[0]?.socket.readableEnded === true || mute.peers[0]?.socket.destroyed === true);
});

test.each(spreading)("%s shares calls between two addresses equally", async (loadBalancing) => {
  const servers = await start(2);
  const client = open(servers, { loadBalancing });
  await client.unary({});
  await until(() => connectionsOf(servers).every((count) => count === 1));
  await delay(20);
  const before = countsOf(servers);
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 20 }, () => client.unary({})));
  const shares = countsOf(servers).map((count, index) => count - (before[index] as number));
  expect(shares).toEqual([200, 200]);
});

test("least_pending gives calls to the address that is faster", async () => {
  const fast = await startScriptedServer({ onRequest: answer });
  const slow = await startScriptedServer({});
  const client = open([fast, slow], { loadBalancing: "least_pending" });
  await client.unary({}, { timeoutMs: 1000 }).catch(() => {});
  await until(() => connectionsOf([fast, slow]).every((count) => count === 1));
  await delay(20);
  const calls = [];
  for (let count = 0; count < 20; count++) {
    const call = client.unary({});
    calls.push(call);
    // Those that stay open at the slow one count.
    await Promise.race([call, delay(20)]);
  }
  const [fastCount, slowCount] = countsOf([fast, slow]) as [number, number];
  expect(slowCount).toBeLessThanOrEqual(2);
  expect(fastCount).toBeGreaterThanOrEqual(19);
  for (const id of slow.peers[0]?.requests ?? []) answer(id, slow.peers[0] as Peer);
  await Promise.all(calls);
});

test.each(protocols)("a transport for %s has the policies", async (protocol) => {
  const httpRules = { rules: [{ selector: "manywire.test.v1.TestService.Unary", post: "/unary", body: "*" }] };
  const servers = await start(2, {});
  const client = open(servers, { protocol, httpRules, loadBalancing: "round_robin" });
  const calls = Array.from({ length: 4 }, () => failureOf(client.unary({}, { timeoutMs: 300 })));
  await until(() => connectionsOf(servers).every((count) => count === 1));
  await Promise.all(calls);
  const more = Array.from({ length: 4 }, () => failureOf(client.unary({}, { timeoutMs: 300 })));
  const before = countsOf(servers);
  await Promise.all(more);
  expect(countsOf(servers).map((count, index) => count - (before[index] as number))).toEqual([2, 2]);
});

describe.each(["pick_first", ...spreading] as const)("%s", (loadBalancing) => {
  test("when an address dies, only its calls under way fail, and all others go to the other one", async () => {
    const stuck: [number, Peer][] = [];
    let isHolding = false;
    const servers = await start(2, {
      onRequest(id, peer) {
        if (isHolding) stuck.push([id, peer]);
        else answer(id, peer);
      },
    });
    const client = open(servers, { loadBalancing });
    await client.unary({});
    const isSpread = loadBalancing !== "pick_first";
    if (isSpread) {
      await until(() => connectionsOf(servers).every((count) => count === 1));
      await delay(20);
    }
    isHolding = true;
    const held = Array.from({ length: 10 }, () => failureOf(client.unary({})));
    await until(() => stuck.length === 10);
    isHolding = false;
    const [dying, other] = servers as [ScriptedServer, ScriptedServer];
    const lost = stuck.filter(([, peer]) => dying.peers.includes(peer)).length;
    expect(lost).toBe(isSpread ? 5 : 10);
    await dying.close();
    for (const [id, peer] of stuck) if (!dying.peers.includes(peer)) answer(id, peer);
    const failures = await Promise.all(held);
    expect(failures.filter((failure) => failure.startsWith("[unavailable] "))).toHaveLength(lost);
    expect(failures.filter((failure) => failure === "the call succeeded")).toHaveLength(10 - lost);
    const before = countsOf(servers);
    await Promise.all(Array.from({ length: 100 }, () => client.unary({})));
    expect(countsOf(servers).map((count, index) => count - (before[index] as number))).toEqual([0, 100]);
    expect(other.peers).toHaveLength(1);
  });

  test("a restart of each server with GOAWAY, one after the other, under load loses no call", async () => {
    const held = new Map<Peer, number[]>();
    const leaving = new Set<Peer>();
    // A server responds a little later, and ignores what comes after its GOAWAY.
    const servers = await start(2, {
      onRequest(id, peer) {
        if (leaving.has(peer)) return;
        held.set(peer, [...(held.get(peer) ?? []), id]);
        setTimeout(() => peer.send(...reply(id)), 2);
      },
    });
    const client = open(servers, { loadBalancing });
    let isOver = false;
    let done = 0;
    const callers = Array.from({ length: 20 }, async () => {
      while (!isOver) {
        await client.unary({});
        done++;
      }
    });
    for (let round = 0; round < 10; round++) {
      await until(() => done > (round + 1) * 50);
      const { peers } = servers[round % 2] as ScriptedServer;
      const peer = peers.at(-1);
      if (peer === undefined || leaving.has(peer)) continue;
      leaving.add(peer);
      peer.send(goaway(held.get(peer)?.at(-1) ?? 0));
    }
    isOver = true;
    await Promise.all(callers);
    expect(leaving.size).toBeGreaterThan(4);
  });
});

test.each(spreading)("%s takes an address up again when it is back", async (loadBalancing) => {
  const servers = await start(2);
  const [first, second] = servers as [ScriptedServer, ScriptedServer];
  const client = open(servers, { loadBalancing });
  await client.unary({});
  await until(() => connectionsOf(servers).every((count) => count === 1));
  await first.close();
  await client.unary({});
  const again = await startScriptedServer({ onRequest: answer }, Number(new URL(first.url).port));
  await until(() => again.peers.length === 1);
  await delay(20);
  await Promise.all(Array.from({ length: 10 }, () => client.unary({})));
  expect(countsOf([again])).toEqual([5]);
  expect(second.peers).toHaveLength(1);
});

test("servers get the authority of the base URL", async () => {
  const [server] = (await start(1)) as [ScriptedServer];
  await open([server]).unary({});
  expect(server.peers[0]?.frames.find(({ type }) => type === 1)?.fields[":authority"]).toBe("test.invalid");
});

test.each([
  ["https://127.0.0.1", "the call succeeded"],
  ["https://localhost", "the call succeeded"],
  ["https://127.0.0.2", /^\[internal\] .*altnames.* 127\.0\.0\.2/],
  ["https://other.test", /^\[internal\] .*altnames.* other\.test/],
])("certificates are verified for the host of the base URL %s", async (baseUrl, outcome) => {
  // The certificate is for localhost, 127.0.0.1 and ::1.
  await using server = await startServer({ httpVersion: "2", isTls: true, host: "127.0.0.3" });
  const addresses = [`127.0.0.3:${new URL(server.url).port}`];
  const transport = createTransport({ protocol: "grpc", baseUrl, addresses, tls: { ca: certificate } });
  onTestFinished(() => transport.close());
  const found = await failureOf(createClient(TestService, transport).unary({}));
  if (typeof outcome === "string") expect(found).toBe(outcome);
  else expect(found).toMatch(outcome);
});

describe("names", () => {
  /** A pool whose name has the addresses that a test gives it. */
  async function openNamed(script: Script, loadBalancing: "pick_first" | "round_robin" = "round_robin") {
    // Servers on one port of several addresses of the loopback.
    const first = await startScriptedServer(script);
    const port = Number(new URL(first.url).port);
    const second = await startScriptedServer(script, port, "127.0.0.2");
    const third = await startScriptedServer(script, port, "127.0.0.3");
    let found: string[] | Error = ["127.0.0.1"];
    let lookups = 0;
    const lookup = async (name: string) => {
      expect(name).toBe("servers.test");
      lookups++;
      if (found instanceof Error) throw found;
      return found.map((address) => ({ address }));
    };
    const baseUrl = `http://servers.test:${port}`;
    const { openGrpc, pool, close } = openHttp2(parseBaseUrl(baseUrl), { loadBalancing }, {}, { lookup });
    onTestFinished(close);
    const options = { baseUrl, interceptors: [], useBinaryFormat: true, acceptCompression: [], sendCompression: null };
    const limits = { compressMinBytes: 1024, readMaxBytes: 1000, writeMaxBytes: 1000 };
    const client = createClient(TestService, openGrpc({ ...options, ...limits }));
    return {
      ...{ client, pool, servers: [first, second, third] as const },
      find: (addresses: string[] | Error) => {
        found = addresses;
      },
      lookups: () => lookups,
    };
  }

  test("are looked up again when a connection is lost", async () => {
    const { client, servers, find, lookups } = await openNamed({ onRequest: answer });
    await client.unary({});
    expect(lookups()).toBe(1);
    find(["127.0.0.2", "127.0.0.3"]);
    // More than the least time between two lookups.
    await delay(1000);
    servers[0].peers[0]?.send(goaway(1));
    await until(() => connectionsOf(servers)[1] === 1 && connectionsOf(servers)[2] === 1);
    await delay(20);
    const before = countsOf(servers);
    await Promise.all(Array.from({ length: 10 }, () => client.unary({})));
    expect(countsOf(servers).map((count, index) => count - (before[index] as number))).toEqual([0, 5, 5]);
    expect(lookups()).toBe(2);
  });

  test("that are not found any more keep their addresses", async () => {
    const { client, servers, find, lookups } = await openNamed({ onRequest: answer });
    await client.unary({});
    find(new Error("getaddrinfo EAI_AGAIN servers.test"));
    await delay(1000);
    servers[0].peers[0]?.send(goaway(1));
    await until(() => lookups() === 2);
    await client.unary({});
    expect(countsOf(servers)).toEqual([2, 0, 0]);
  });

  test("that are not found fail calls with the cause, and are looked up again by the next call", async () => {
    const { client, pool, find } = await openNamed({ onRequest: answer });
    find(new Error("getaddrinfo ENOTFOUND servers.test"));
    expect(await failureOf(client.unary({}))).toBe("[unavailable] getaddrinfo ENOTFOUND servers.test");
    expect(pool.state).toMatchObject({ kind: "failing", error: { rawMessage: "getaddrinfo ENOTFOUND servers.test" } });
    find([]);
    expect(await failureOf(client.unary({}))).toBe("[unavailable] servers.test: no address found");
    find(["127.0.0.1"]);
    await delay(200);
    await client.unary({});
    expect(pool.state).toEqual({ kind: "ready" });
  });

  test("that lose an address let its calls end", async () => {
    const { client, servers, find } = await openNamed({});
    find(["127.0.0.1", "127.0.0.2"]);
    const calls = [1, 2].map(() => client.unary({}));
    await until(() => countsOf(servers).reduce((sum, count) => sum + count) === 2);
    await until(() => connectionsOf(servers)[1] === 1);
    find(["127.0.0.2"]);
    await delay(1000);
    servers[1].peers[0]?.send(goaway(2 ** 31 - 1));
    await until(() => connectionsOf(servers)[1] === 2);
    await until(() => servers[0].peers[0]?.frames.at(-1)?.type === 7);
    for (const { peers } of servers) {
      for (const peer of peers) for (const id of peer.requests) answer(id, peer);
    }
    await Promise.all(calls);
  });
});
