// Servers that are restarted one after the other while they are called: no call is lost.
import { once } from "node:events";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectRouter, createClient } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTransport, type Protocol } from "../../../../client/index.js";
import { TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { startServer } from "../../../support/server.js";
import { until } from "./scripted-server.js";

interface Restartable {
  readonly port: number;
  /** Stops listening, sends GOAWAY, and resolves when all calls have ended. */
  stop(): Promise<void>;
}

async function startOwn(port: number): Promise<Restartable> {
  const server = await startServer({ port });
  return { port: server.port, stop: async () => server[Symbol.asyncDispose]() };
}

async function startNode(port: number): Promise<Restartable> {
  const routes = (router: ConnectRouter) =>
    router.rpc(TestService.method.unary, async ({ text, waitMs }) => {
      await delay(waitMs);
      return { text };
    });
  const server = http2.createServer(connectNodeAdapter({ routes }));
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    const closed = once(server, "close");
    server.close();
    for (const session of sessions) session.close();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

describe.each([
  ["ours", startOwn],
  ["Node's http2", startNode],
])("servers of %s", (_name, start) => {
  test.each<[Protocol, "pick_first" | "round_robin" | "least_pending"]>([
    ["grpc", "pick_first"],
    ["grpc", "round_robin"],
    ["grpc", "least_pending"],
    ["connect", "round_robin"],
  ])("are restarted in turn without a failed call: %s, %s", async (protocol, loadBalancing) => {
    const servers = [await start(0), await start(0)];
    onTestFinished(async () => {
      for (const { stop } of servers) await stop();
    });
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
    const transport = createTransport({ protocol, baseUrl: "http://test", addresses, loadBalancing });
    onTestFinished(() => transport.close());
    const client = createClient(TestService, transport);
    const failures: string[] = [];
    let done = 0;
    let isOver = false;
    const callers = Array.from({ length: 16 }, async (_, index) => {
      while (!isOver) {
        await client.unary({ text: `${index}`, waitMs: 3 }).catch((error) => failures.push(String(error)));
        done++;
      }
    });
    for (let round = 0; round < 6; round++) {
      const before = done;
      await until(() => done > before + 100);
      const index = round % 2;
      const stopping = servers[index] as Restartable;
      await stopping.stop();
      servers[index] = await start(stopping.port);
      // Between attempts to connect that calls ask for are 200 ms.
      await delay(250);
    }
    isOver = true;
    await Promise.all(callers);
    expect(failures).toEqual([]);
  });
});
