// An upstream of several addresses: how calls are shared, and what becomes of them when one of the servers goes.
import { setTimeout as delay } from "node:timers/promises";
import { Code, createClient } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTransport, type Protocol } from "../../client/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { failureOf } from "../support/outcome.js";
import { startServer, type TestServer, type TestServerOptions } from "../support/server.js";
import { startProxy } from "./proxy.js";

const protocols = ["grpc", "grpc-web", "connect", "rest"] as const;
const spreading = ["round_robin", "least_pending"] as const;

const httpRules = { rules: [{ selector: `${TestService.typeName}.Unary`, post: "/v1/unary", body: "*" }] };

/** Starts a server that ends with the test. It may be gone by then. */
async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startServer({ ...options, mayCutCalls: true });
  onTestFinished(() => server.server.close());
  return server;
}

/** Starts a proxy before servers that it takes for one. */
function startBefore(servers: readonly TestServer[], loadBalancing: "pick_first" | "round_robin" | "least_pending") {
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  return startProxy([], { upstreams: [{ url: "http://servers.test", addresses, loadBalancing }] });
}

function open(protocol: Protocol, baseUrl: string) {
  const transport = createTransport({ protocol, baseUrl, httpRules });
  onTestFinished(() => transport.close());
  return createClient(TestService, transport);
}

/** Resets the connections of a server, and stops it. */
async function kill({ server, sockets }: TestServer): Promise<void> {
  const closed = server.close();
  for (const socket of sockets) socket.resetAndDestroy();
  await closed;
}

describe.each(spreading)("%s", (loadBalancing) => {
  test.each(protocols)(
    "shares the calls that come over %s, and all go to one server when the other dies",
    async (protocol) => {
      const servers = [await start(), await start()] as const;
      const proxy = await startBefore(servers, loadBalancing);
      const client = open(protocol, proxy.url);
      // The proxy connects to both.
      while (servers.some(({ sockets }) => sockets.size === 0)) await delay(5);
      await delay(50);
      const shared = Array.from({ length: 200 }, (_, index) => `shared ${index}`);
      for (let round = 0; round < 10; round++) {
        await Promise.all(shared.slice(round * 20, round * 20 + 20).map((text) => client.unary({ text })));
      }
      const [first, second] = servers.map(({ seen }) => shared.filter((text) => seen.has(text)).length);
      expect(first).toBeGreaterThanOrEqual(90);
      expect(first).toBeLessThanOrEqual(110);
      expect(second).toBe(200 - (first as number));

      const texts = Array.from({ length: 10 }, (_, index) => `held ${index}`);
      const gates = servers.map(({ seen }) => texts.map((text) => seen.hold(text)));
      const held = texts.map((text) =>
        client.unary({ text }).then(
          () => "ok",
          ({ code }) => Code[code],
        ),
      );
      const [dying, other] = servers;
      while (!texts.every((text) => dying.seen.has(text) || other.seen.has(text))) await delay(5);
      const lost = texts.map((text) => dying.seen.has(text));
      await kill(dying);
      const replies = await Promise.all(
        Array.from({ length: 100 }, (_, index) => client.unary({ text: `after ${index}` })),
      );
      expect(replies).toHaveLength(100);
      for (const gate of gates.flat()) gate.open();
      expect(await Promise.all(held)).toEqual(lost.map((isLost) => (isLost ? "Unavailable" : "ok")));
      expect(lost.filter((isLost) => isLost)).toHaveLength(5);
    },
  );
});

test.each(["pick_first", ...spreading] as const)(
  "a rolling restart under load fails no unary call: %s",
  async (policy) => {
    const servers = [await start(), await start()];
    const proxy = await startBefore(servers, policy);
    const clients = protocols.map((protocol) => open(protocol, proxy.url));
    const failures: unknown[] = [];
    let done = 0;
    let isOver = false;
    const callers = Array.from({ length: 12 }, async (_, index) => {
      for (let count = 0; !isOver; count++) {
        const call = clients[index % clients.length]?.unary({ text: `${index} ${count}`, waitMs: 2 });
        await call?.catch((error: unknown) => failures.push(error));
        done++;
      }
    });
    for (let round = 0; round < 4; round++) {
      const before = done;
      while (done < before + 100) await delay(5);
      const stopping = servers[round % 2] as TestServer;
      await stopping.server.close();
      servers[round % 2] = await start({ port: stopping.port });
      await delay(250);
    }
    isOver = true;
    await Promise.all(callers);
    expect(failures).toEqual([]);
  },
);

test("500 streams at an upstream's limit of 100 are all served", async () => {
  const server = await start({ limits: { streamsPerConnection: 100 } });
  const proxy = await startBefore([server], "pick_first");
  const client = open("grpc", proxy.url);
  const streams = Array.from({ length: 500 }, async (_, index) => {
    let count = 0;
    for await (const _ of client.serverStream({ text: `stream ${index}`, count: 3, waitMs: 20 })) count++;
    return count;
  });
  expect(await Promise.all(streams)).toEqual(Array.from({ length: 500 }, () => 3));
});

test("while no address can be reached, calls fail at once with the cause", async () => {
  const servers = [await start(), await start()];
  const proxy = await startBefore(servers, "round_robin");
  const client = open("connect", proxy.url);
  await client.unary({ text: "before" });
  await Promise.all(servers.map(kill));
  await delay(50);
  const { code, rawMessage } = await failureOf(client.unary({ text: "after" }));
  expect(code).toBe(Code.Unavailable);
  expect(rawMessage).toMatch(/^(connect ECONNREFUSED|read ECONNRESET)/);
});
