// Connections of a client: when they are opened and closed, and which calls they get.
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { createClient, createTransport, type TransportOptions } from "../../../../client/index.js";
import { TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { turns } from "../../../support/clock.js";
import { data, fieldsOf, headers, rst, settings, windowUpdate } from "../../../support/http2-peer.js";
import { holdTime } from "./open-pool.js";
import {
  answer,
  failureOf,
  goaway,
  head,
  type Peer,
  reply,
  type Script,
  startScriptedServer,
  until,
} from "./scripted-server.js";

async function open(script: Script, options: Partial<TransportOptions> = {}) {
  const server = await startScriptedServer(script);
  const transport = createTransport({ protocol: "grpc", baseUrl: server.url, ...options });
  onTestFinished(() => transport.close());
  return { url: server.url, peers: server.peers, transport, client: createClient(TestService, transport) };
}

test("calls share one connection", async () => {
  const { client, peers } = await open({ onRequest: answer });
  await Promise.all([1, 2, 3].map(() => client.unary({})));
  await client.unary({});
  expect(peers.map(({ requests }) => requests)).toEqual([[1, 3, 5, 7]]);
});

test("a call after GOAWAY opens a new connection, and those under way end on the old one", async () => {
  const { client, peers } = await open({
    onRequest(id, peer) {
      if (peer === peers[1]) answer(id, peer);
    },
  });
  const first = client.unary({ text: "first" });
  await until(() => peers[0]?.requests.length === 1);
  peers[0]?.send(goaway(2 ** 31 - 1));
  await peers[0]?.roundTrip();
  await client.unary({ text: "second" });
  const closed = once((peers[0] as Peer).socket, "end");
  peers[0]?.send(goaway(1), ...reply(1));
  await first;
  await closed;
  expect(peers.map(({ requests }) => requests)).toEqual([[1], [1]]);
});

test("a call after the end of an idle connection opens a new one", async () => {
  const { client, peers } = await open({ onRequest: answer });
  await client.unary({});
  const [{ socket }] = peers as [Peer];
  // The client has seen the end when it has ended its side, too.
  const closed = once(socket, "close");
  socket.end();
  await closed;
  await client.unary({});
  expect(peers.map(({ requests }) => requests)).toEqual([[1], [1]]);
});

test("calls over SETTINGS_MAX_CONCURRENT_STREAMS wait in their order, and can be canceled", async () => {
  const { client, peers } = await open({ settings: [[3, 2]] }, { maxConnections: 1 });
  const canceled = new AbortController();
  // The settings have come.
  const ended: number[] = [];
  const signals = [0, 1, 2, 3, 4].map((index) => (index === 3 ? { signal: canceled.signal } : {}));
  const open0 = client.unary({}, signals[0]).then(() => ended.push(0));
  await until(() => peers[0]?.requests.length === 1);
  const calls = [1, 2, 3, 4].map((index) => client.unary({}, signals[index] ?? {}).then(() => ended.push(index)));
  await until(() => peers[0]?.requests.length === 2);
  const fourth = failureOf(calls[2] as Promise<unknown>);
  canceled.abort();
  expect(await fourth).toBe("[canceled] This operation was aborted");
  await peers[0]?.roundTrip();
  expect(peers[0]?.requests).toEqual([1, 3]);
  for (const id of [1, 3, 5, 7]) {
    await until(() => peers[0]?.requests.includes(id) === true);
    answer(id, peers[0] as Peer);
  }
  await Promise.all([open0, calls[0], calls[1], calls[3]]);
  expect(ended).toEqual([0, 1, 2, 4]);
});

test("waiting calls move to a new connection after GOAWAY", async () => {
  const script: Script = {
    settings: [[3, 1]],
    onRequest(id, peer) {
      if (peer !== peers[0]) answer(id, peer);
    },
  };
  const { client, peers } = await open(script, { maxConnections: 1 });
  const first = client.unary({});
  await until(() => peers[0]?.requests.length === 1);
  const others = [client.unary({}), client.unary({})];
  peers[0]?.send(goaway(1));
  await Promise.all(others);
  answer(1, peers[0] as Peer);
  await first;
});

test("no call is sent before the server's settings have come", async () => {
  const { client, peers } = await open({ settings: null }, { maxConnections: 1 });
  const calls = [1, 2, 3].map(() => client.unary({}));
  await until(() => (peers[0]?.frames.length ?? 0) > 0);
  await turns();
  expect(peers[0]?.requests).toEqual([]);
  peers[0]?.send(settings([3, 2]));
  await until(() => peers[0]?.requests.length === 2);
  await peers[0]?.roundTrip();
  expect(peers[0]?.requests).toEqual([1, 3]);
  for (const id of [1, 3]) answer(id, peers[0] as Peer);
  await until(() => peers[0]?.requests.length === 3);
  answer(5, peers[0] as Peer);
  await Promise.all(calls);
});

test("a signal resets the stream with CANCEL, before and after the response has begun", async () => {
  for (const isBegun of [false, true]) {
    const { client, peers } = await open({ onRequest: (id, peer) => isBegun && peer.send(head(id)) });
    const controller = new AbortController();
    const call = failureOf(client.unary({}, { signal: controller.signal }));
    await until(() => peers[0]?.requests.length === 1);
    await peers[0]?.roundTrip();
    controller.abort();
    expect(await call).toBe("[canceled] This operation was aborted");
    await until(() => peers[0]?.frames.at(-1)?.type === 3);
    expect(peers[0]?.frames.at(-1)?.payload).toEqual(Buffer.from([0, 0, 0, 8]));
  }
});

test("a deadline resets the stream with CANCEL", async () => {
  const { client, peers } = await open({
    onRequest(id, peer) {
      if (id === 1) answer(id, peer);
    },
  });
  await client.unary({});
  expect(await failureOf(client.unary({}, { timeoutMs: 300 }))).toBe("[deadline_exceeded] the operation timed out");
  await until(() => peers[0]?.frames.at(-1)?.type === 3);
  expect(peers[0]?.frames.at(-1)?.payload).toEqual(Buffer.from([0, 0, 0, 8]));
});

test("RST_STREAM CANCEL at the deadline is the deadline, without interceptors, too", async () => {
  const { client, peers } = await open({
    onRequest(id, peer) {
      if (id === 1) answer(id, peer);
      else setTimeout(() => peer.send(rst(id)), 292);
    },
  });
  await client.unary({});
  const timeoutMs = 300;
  expect(await failureOf(client.unary({}, { timeoutMs }))).toBe("[deadline_exceeded] the operation timed out");
  expect(peers[0]?.requests).toEqual([1, 3]);
});

test("each call fails with an error of its own", async () => {
  const { client, peers } = await open({});
  const calls = [client.unary({}), client.unary({})].map((call) => call.catch((error: unknown) => error));
  await until(() => peers[0]?.requests.length === 2);
  peers[0]?.socket.end();
  const [first, second] = await Promise.all(calls);
  expect(first).not.toBe(second);
  expect(first).toEqual(second);
});

test("interceptors see the request and the response of a gRPC call, and may change them", async () => {
  const seen: unknown[] = [];
  const { client, peers } = await open(
    { onRequest: answer },
    {
      defaultTimeoutMs: 5000,
      interceptors: [
        (next) => async (request) => {
          seen.push(new URL(request.url).pathname, request.header.get("grpc-timeout"), request.signal.aborted);
          request.header.set("x", "y");
          const response = await next(request);
          seen.push(response.header.get("content-type"), response.trailer.get("grpc-status"));
          response.header.set("x", "z");
          return response;
        },
      ],
    },
  );
  let header = "";
  await client.unary(
    {},
    {
      onHeader(headers) {
        header = headers.get("x") ?? "";
      },
    },
  );
  const path = "/manywire.test.v1.TestService/Unary";
  expect([seen, header]).toEqual([[path, "5000m", false, "application/grpc+proto", "0"], "z"]);
  expect(peers[0]?.frames.find(({ type }) => type === 1)?.fields.x).toBe("y");
});

test("a call that is aborted before it begins opens no connection", async () => {
  const { client, peers, url } = await open({});
  expect(await failureOf(client.unary({}, { signal: AbortSignal.abort() }))).toContain("[canceled]");
  // Connections are accepted in their order.
  const own = connect(Number(new URL(url).port), "127.0.0.1");
  await once(own, "data");
  own.destroy();
  expect(peers.length).toBe(1);
});

test("an upload waits for the window", async () => {
  const { client, peers } = await open({
    settings: [[4, 10_000]],
    onRequest(id, peer) {
      if (id === 1) answer(id, peer);
    },
  });
  // Until the settings have come, the window is 65,535 bytes.
  await client.unary({ text: "first" });
  peers[0]?.frames.splice(0);
  const call = client.unary({ data: new Uint8Array(100_000) });
  const sent = () => peers[0]?.frames.reduce((sum, { type, payload }) => sum + (type === 0 ? payload.length : 0), 0);
  await until(() => sent() === 10_000);
  await peers[0]?.roundTrip();
  expect(sent()).toBe(10_000);
  peers[0]?.send(windowUpdate(3, 100_000), windowUpdate(0, 100_000));
  await until(() => (peers[0]?.frames.at(-1)?.flags ?? 0) === 1);
  answer(3, peers[0] as Peer);
  await call;
});

test("a stream of requests is read no faster than it is sent", async () => {
  const { client, peers } = await open({ settings: [[4, 1]] });
  let taken = 0;
  async function* requests() {
    for (; taken < 1000; taken++) yield { data: new Uint8Array(10_000) };
  }
  const call = client.clientStream(requests());
  await until(() => peers[0]?.requests.length === 1);
  await peers[0]?.roundTrip();
  expect(taken).toBeLessThan(10);
  answer(1, peers[0] as Peer);
  await call;
});

test("a reader that waits holds the window of its stream, and of no other", async () => {
  const { client, peers } = await open({});
  const replies = client.serverStream({})[Symbol.asyncIterator]();
  const first = replies.next();
  await until(() => peers[0]?.requests.length === 1);
  const peer = peers[0] as Peer;
  // 256 KiB of small messages: the window of one stream.
  const messages = Buffer.alloc(16_380, "\0");
  peer.send(head(1), ...Array.from({ length: 16 }, () => data(1, messages.toString("latin1"))));
  await first;
  await peer.roundTrip();
  const updates = () => peer.frames.filter(({ type, id }) => type === 8 && id === 1).length;
  expect(updates()).toBe(0);
  const other = client.unary({});
  await until(() => peer.requests.length === 2);
  answer(3, peer);
  await other;
  for (let count = 0; count < 40_000; count++) await replies.next();
  await until(() => updates() > 0);
});

test("a response that comes before the end of the request ends the call, and resets the rest of it", async () => {
  const { client, peers } = await open({ onRequest: answer });
  let isReturned = false;
  async function* requests() {
    try {
      yield {};
      await new Promise(() => {});
    } finally {
      isReturned = true;
    }
  }
  await client.clientStream(requests());
  await until(() => peers[0]?.frames.at(-1)?.type === 3);
  expect(peers[0]?.frames.at(-1)?.payload).toEqual(Buffer.from([0, 0, 0, 0]));
  expect(isReturned).toBe(false);
});

test("RST_STREAM NO_ERROR after the response is no failure", async () => {
  const { client, peers } = await open({ onRequest: (id, peer) => peer.send(...reply(id), rst(id, 0)) });
  await client.unary({});
  expect(peers.length).toBe(1);
});

test("an informational response is no response", async () => {
  const early = (id: number) => headers(id, fieldsOf([[":status", "103"]]), 4);
  const { client } = await open({ onRequest: (id, peer) => peer.send(early(id), ...reply(id)) });
  await client.unary({});
});

test("an idle connection is closed after idleConnectionTimeoutMs", async () => {
  const { client, peers } = await open({ onRequest: answer }, { idleConnectionTimeoutMs: 50 });
  await client.unary({});
  await once((peers[0] as Peer).socket, "end");
  expect(peers[0]?.frames.at(-1)?.type).toBe(7);
  await client.unary({});
  expect(peers.length).toBe(2);
});

test("pings go out while calls are open, and while none is only if they are asked for", async () => {
  holdTime();
  for (const pingIdleConnection of [false, true]) {
    const options = { pingIntervalMs: 20, pingIdleConnection };
    const { client, peers } = await open({}, options);
    const pass = async () => {
      vi.advanceTimersByTime(options.pingIntervalMs);
      await peers[0]?.roundTrip();
    };
    const pings = () => peers[0]?.frames.filter(({ type, flags }) => type === 6 && flags === 0).length ?? 0;
    const call = client.unary({});
    await until(() => peers[0]?.requests.length === 1);
    for (let count = 0; count < 3; count++) await pass();
    expect(pings()).toBeGreaterThan(1);
    answer(1, peers[0] as Peer);
    await call;
    const before = pings();
    for (let count = 0; count < 5; count++) await pass();
    expect(pings() > before + 1).toBe(pingIdleConnection);
  }
});

test("a call on a connection that was silent for long waits for a PING, and takes another one if it is not acknowledged", async () => {
  holdTime();
  let isMute = false;
  const script = {
    get isMute() {
      return isMute;
    },
    onRequest: answer,
  };
  const { client, peers } = await open(script, { pingIntervalMs: 30, pingTimeoutMs: 50 });
  await client.unary({});
  vi.advanceTimersByTime(31);
  await client.unary({});
  expect(peers.map(({ requests }) => requests)).toEqual([[1, 3]]);
  vi.advanceTimersByTime(31);
  isMute = true;
  const last = client.unary({});
  await turns();
  vi.advanceTimersByTime(50);
  await last;
  expect(peers.map(({ requests }) => requests)).toEqual([[1, 3], [1]]);
});

test("a server that has had too many pings gets half as many", async () => {
  const { client, peers } = await open(
    {
      onFrame({ type, flags }, peer) {
        if (type === 6 && flags === 0 && peer === peers[0]) peer.send(goaway(0, 0xb, "too_many_pings"));
      },
    },
    { pingIntervalMs: 100 },
  );
  const call = client.unary({});
  await until(() => peers.length === 2);
  const connectedAt = performance.now();
  await until(() => peers[1]?.frames.some(({ type, flags }) => type === 6 && flags === 0) === true);
  expect(performance.now() - connectedAt).toBeGreaterThan(150);
  answer(1, peers[1] as Peer);
  await call;
});

test.each(["connection", "upgrade", "transfer-encoding"])(
  "a header %s fails the call, and sends nothing",
  async (name) => {
    const { client, peers } = await open({ onRequest: answer });
    const headers = { [name]: "x" };
    expect(await failureOf(client.unary({}, { headers }))).toBe(`[internal] headers: ${name}: not allowed in HTTP/2`);
    await client.unary({});
    expect(peers[0]?.requests).toEqual([1]);
  },
);

test("a header host is the authority", async () => {
  const { client, peers } = await open({ onRequest: answer });
  await client.unary({}, { headers: { host: "example.com" } });
  const fields = peers[0]?.frames.find(({ type }) => type === 1)?.fields;
  expect([fields?.[":authority"], fields?.host]).toEqual(["example.com", undefined]);
});
