// What becomes of calls while no connection is there, and when the next attempt to connect is made.
import { connect, Socket } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, onTestFinished, test, vi } from "vitest";
import { turns } from "../../../support/clock.js";
import { settings } from "../../../support/http2-peer.js";
import { holdTime, openPool, WaitingRequest } from "./open-pool.js";
import {
  answer,
  failureOf,
  goaway,
  type Peer,
  type ScriptedServer,
  startScriptedServer,
  until,
} from "./scripted-server.js";

const portOf = (url: string) => Number(new URL(url).port);

/** The URL of a port that nothing listens on. */
async function closedUrl(): Promise<string> {
  const server = await startScriptedServer({});
  await server.close();
  return server.url;
}

const startAgain = (url: string): Promise<ScriptedServer> => startScriptedServer({ onRequest: answer }, portOf(url));

const refusedBy = (url: string) => `[unavailable] connect ECONNREFUSED ${url.slice("http://".length)}`;

test("after a failure the next call connects", async () => {
  const url = await closedUrl();
  const { client } = openPool(url);
  expect(await failureOf(client.unary({}))).toBe(refusedBy(url));
  await startAgain(url);
  await client.unary({});
});

test("from the second failure on, calls connect every 200 ms at most, and fail at once with the cause meanwhile", async () => {
  holdTime();
  const url = await closedUrl();
  const { client, attempts } = openPool(url);
  for (let count = 0; count < 10; count++) expect(await failureOf(client.unary({}))).toBe(refusedBy(url));
  expect(attempts.length).toBe(2);
  vi.advanceTimersByTime(200);
  for (let count = 0; count < 10; count++) expect(await failureOf(client.unary({}))).toBe(refusedBy(url));
  expect(attempts.length).toBe(3);
});

test("after a failure calls wait for one second for an attempt that gets no response, then fail with the cause", async () => {
  holdTime();
  const url = await closedUrl();
  let isSilent = false;
  const { client, pool } = openPool(url, {
    openSocket: () => (isSilent ? new Socket() : connect(portOf(url), "127.0.0.1")),
  });
  await failureOf(client.unary({}));
  isSilent = true;
  let failure = "";
  const call = failureOf(client.unary({})).then((found) => {
    failure = found;
  });
  await turns();
  vi.advanceTimersByTime(999);
  await turns();
  expect(failure).toBe("");
  vi.advanceTimersByTime(1);
  await call;
  expect(failure).toBe(refusedBy(url));
  expect(await failureOf(client.unary({}))).toBe(refusedBy(url));
  expect(pool.state.kind).toBe("failing");
});

test("a call that waits for ready is sent when the server is there, with attempts after 1 s and 1.6 times as long each", async () => {
  holdTime();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  onTestFinished(() => void vi.restoreAllMocks());
  const url = await closedUrl();
  const { pool, attempts } = openPool(url);
  const request = new WaitingRequest();
  pool.send(request);
  await until(() => pool.state.kind === "failing");
  for (const [count, ms] of [1000, 1600, 2560].entries()) {
    vi.advanceTimersByTime(ms - 1);
    expect(attempts.length).toBe(count + 1);
    vi.advanceTimersByTime(1);
    expect(attempts.length).toBe(count + 2);
    // The attempt fails.
    await turns();
    await turns();
  }
  expect(request.outcome).toBe("");
  await startAgain(url);
  vi.advanceTimersByTime(4096);
  await until(() => request.outcome !== "");
  expect(request.outcome).toBe("opened");
});

test("a call that waits for ready ends with its deadline, or when it is canceled", async () => {
  const url = await closedUrl();
  const { pool } = openPool(url);
  const request = new WaitingRequest();
  pool.send(request);
  await until(() => pool.state.kind === "failing");
  expect(pool.cancel(request)).toBe(true);
  expect(pool.cancel(request)).toBe(false);
  expect(request.outcome).toBe("");
});

test("a connection that is not there in time fails the call", async () => {
  const { client } = openPool("http://127.0.0.1:1", { connectTimeoutMs: 30, openSocket: () => new Socket() });
  expect(await failureOf(client.unary({}))).toBe("[unavailable] no connection within 30 ms");
});

test("a server that sends no SETTINGS in time fails the call", async () => {
  const { url, peers } = await startScriptedServer({ settings: null });
  const { client } = openPool(url, { connectTimeoutMs: 30 });
  expect(await failureOf(client.unary({}))).toBe("[unavailable] no SETTINGS of the server within 30 ms");
  expect(peers[0]?.requests).toEqual([]);
});

test("a socket that cannot be made fails the call", async () => {
  const { client } = openPool("http://127.0.0.1:1", {
    openSocket() {
      throw new Error("not a certificate");
    },
  });
  expect(await failureOf(client.unary({}))).toBe("[internal] not a certificate");
});

test("the state says what is, and onReady is called for each connection that comes back", async () => {
  const server = await startScriptedServer({ onRequest: answer });
  let ready = 0;
  const { pool, client } = openPool(server.url, { onReady: () => ready++ });
  expect(pool.state).toEqual({ kind: "idle" });
  const first = client.unary({});
  expect(pool.state).toEqual({ kind: "connecting" });
  await first;
  expect([pool.state, ready]).toEqual([{ kind: "ready" }, 1]);
  server.peers[0]?.send(goaway(1));
  await until(() => pool.state.kind === "idle");
  await client.unary({});
  expect([pool.state, ready]).toEqual([{ kind: "ready" }, 2]);
  await server.close();
  await until(() => pool.state.kind === "idle");
  expect(await failureOf(client.unary({}))).toBe(refusedBy(server.url));
  expect(pool.state).toMatchObject({ kind: "failing", error: { message: refusedBy(server.url) } });
});

test("a pool that stays connected connects without a call, and again after a loss", async () => {
  const url = await closedUrl();
  let ready = 0;
  const { pool, client } = openPool(url, {
    ...{ staysConnected: true, backoffMaxMs: 1500, idleConnectionTimeoutMs: 1 },
    onReady: () => ready++,
  });
  pool.connect();
  await until(() => pool.state.kind === "failing");
  const server = await startAgain(url);
  const startedAt = performance.now();
  await until(() => ready === 1);
  expect(performance.now() - startedAt).toBeLessThan(2000);
  await client.unary({});
  server.peers[0]?.send(goaway(1));
  await until(() => ready === 2);
  expect(server.peers.length).toBe(2);
  expect(pool.state).toEqual({ kind: "ready" });
});

test("a server that closes each connection at once is not called without a pause", async () => {
  const server = await startScriptedServer({
    settings: null,
    onConnect(peer: Peer) {
      peer.send(settings());
      peer.socket.end();
    },
  });
  const { pool } = openPool(server.url, { staysConnected: true });
  pool.connect();
  await until(() => pool.state.kind === "failing");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(server.peers.length).toBe(1);
});

test("close fails the calls that wait, and later ones connect again", async () => {
  const url = await closedUrl();
  const { pool, client } = openPool(url, { staysConnected: true });
  const request = new WaitingRequest();
  pool.send(request);
  await until(() => pool.state.kind === "failing");
  pool.close(new ConnectError("closed", Code.Canceled));
  expect([request.outcome, pool.state]).toEqual(["[canceled] closed", { kind: "idle" }]);
  await startAgain(url);
  await client.unary({});
  expect(pool.state).toEqual({ kind: "ready" });
});
