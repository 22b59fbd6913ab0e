// Requests that the server has surely not processed are sent again.
import { expect, onTestFinished, test } from "vitest";
import { createClient, createTransport, type TransportOptions } from "../../../../client/index.js";
import { TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { data, fieldsOf, headers, rst, windowUpdate } from "../../../support/http2-peer.js";
import {
  answer,
  failureOf,
  goaway,
  head,
  type Peer,
  type Script,
  startScriptedServer,
  until,
} from "./scripted-server.js";

const refused = "[unavailable] http/2 stream closed with error code REFUSED_STREAM (0x7)";

async function open(script: Script, options: Partial<TransportOptions> = {}) {
  const { url, peers } = await startScriptedServer(script);
  const transport = createTransport({ protocol: "grpc", baseUrl: url, ...options });
  onTestFinished(() => transport.close());
  return { peers, client: createClient(TestService, transport) };
}

/** The bytes of a request that have come. */
function bodyOf(peer: Peer | undefined, id: number): string {
  const frames = peer?.frames.filter((frame) => frame.type === 0 && frame.id === id) ?? [];
  return Buffer.concat(frames.map(({ payload }) => payload)).toString("latin1");
}

const hasEnded = (peer: Peer | undefined, id: number) =>
  peer?.frames.some((frame) => frame.id === id && frame.type <= 1 && (frame.flags & 1) === 1) === true;

/** Responds when the whole request has come. */
const whenWhole = (serve: (id: number, peer: Peer) => void): Script => ({
  onFrame({ type, flags, id }, peer) {
    if (type <= 1 && (flags & 1) === 1) serve(id, peer);
  },
});

test("a refused stream is opened again, once", async () => {
  const { client, peers } = await open(whenWhole((id, peer) => (id === 1 ? peer.send(rst(1, 7)) : answer(id, peer))));
  await client.unary({ text: "a" });
  expect(peers.map(({ requests }) => requests)).toEqual([[1, 3]]);
  expect(bodyOf(peers[0], 3)).toBe(bodyOf(peers[0], 1));
});

test.each(["grpc", "grpc-web", "connect", "rest"] as const)(
  "a call over %s that is refused twice fails",
  async (protocol) => {
    const httpRules = { rules: [{ selector: "manywire.test.v1.TestService.Unary", post: "/unary", body: "*" }] };
    const { client, peers } = await open({ onRequest: (id, peer) => peer.send(rst(id, 7)) }, { protocol, httpRules });
    expect(await failureOf(client.unary({ text: "a" }))).toBe(refused);
    expect(await failureOf(client.unary({ text: "b" }))).toBe(refused);
    expect(peers.map(({ requests }) => requests)).toEqual([[1, 3, 5, 7]]);
  },
);

test("a call above the last stream of GOAWAY goes to another connection", async () => {
  const { client, peers } = await open({
    onRequest(id, peer) {
      if (peer !== peers[0]) answer(id, peer);
    },
  });
  const first = client.unary({ text: "first" });
  await until(() => hasEnded(peers[0], 1));
  const second = client.unary({ text: "second" });
  await until(() => hasEnded(peers[0], 3));
  peers[0]?.send(goaway(1));
  await second;
  answer(1, peers[0] as Peer);
  await first;
  expect(peers.map(({ requests }) => requests)).toEqual([[1, 3], [1]]);
  expect(bodyOf(peers[1], 1)).toBe(bodyOf(peers[0], 3));
});

test("a server that sends GOAWAY on every connection is left after six", async () => {
  const { client, peers } = await open({ onRequest: (_id, peer) => peer.send(goaway(0)) });
  const failure = "[unavailable] the server closed the connection before it processed the call";
  expect(await failureOf(client.unary({}))).toBe(failure);
  expect(peers.length).toBe(6);
});

test("a stream begins again with the messages that were sent", async () => {
  const { client, peers } = await open({
    onFrame({ type, flags, id }, peer) {
      if (type === 0 && (flags & 1) === 1) answer(id, peer);
    },
  });
  let next = () => {};
  async function* requests() {
    for (const text of ["a", "b", "c"]) {
      yield { text };
      await new Promise<void>((resolve) => {
        next = resolve;
      });
    }
  }
  const call = client.clientStream(requests());
  const [a, b, c] = ["a", "b", "c"].map((text) => `\0\0\0\0\x03\x0a\x01${text}`);
  await until(() => bodyOf(peers[0], 1) === a);
  next();
  await until(() => bodyOf(peers[0], 1) === `${a}${b}`);
  peers[0]?.send(rst(1, 7));
  await until(() => bodyOf(peers[0], 3) === `${a}${b}`);
  next();
  await until(() => bodyOf(peers[0], 3) === `${a}${b}${c}`);
  next();
  await call;
  expect(peers[0]?.requests).toEqual([1, 3]);
});

test("a stream that has sent more than is kept does not begin again", async () => {
  const { client, peers } = await open({
    ...whenWhole((id, peer) => peer.send(rst(id, 7))),
    settings: [[4, 1_000_000]],
    onConnect: (peer) => peer.send(windowUpdate(0, 1_000_000)),
  });
  async function* requests() {
    yield { data: new Uint8Array(40_000) };
    yield { data: new Uint8Array(30_000) };
  }
  expect(await failureOf(client.clientStream(requests()))).toBe(refused);
  expect(peers[0]?.requests).toEqual([1]);
});

test("a call whose response has begun is not sent again", async () => {
  const { client, peers } = await open({ onRequest: (id, peer) => peer.send(head(id), rst(id, 7)) });
  expect(await failureOf(client.unary({}))).toBe(refused);
  expect(peers[0]?.requests).toEqual([1]);
});

test("an informational response is no beginning", async () => {
  const early = headers(1, fieldsOf([[":status", "103"]]), 4);
  const { client } = await open({
    onRequest: (id, peer) => (id === 1 ? peer.send(early, rst(1, 7)) : answer(id, peer)),
  });
  await client.unary({});
});

test("a call that is canceled while it waits for another connection fails, and is not sent", async () => {
  const { client, peers } = await open({ settings: [[3, 1]] }, { maxConnections: 1 });
  const first = client.unary({ text: "first" });
  await until(() => hasEnded(peers[0], 1));
  const controller = new AbortController();
  // It takes the room of the first, and is refused when another waits before it.
  const second = failureOf(client.unary({ text: "second" }, { signal: controller.signal }));
  answer(1, peers[0] as Peer);
  await first;
  await until(() => hasEnded(peers[0], 3));
  const third = client.unary({ text: "third" });
  peers[0]?.send(rst(3, 7));
  await until(() => hasEnded(peers[0], 5));
  controller.abort();
  expect(await second).toBe("[canceled] This operation was aborted");
  answer(5, peers[0] as Peer);
  await third;
  expect(peers[0]?.requests).toEqual([1, 3, 5]);
});

test("nothing is sent twice of a stream that waits for a window", async () => {
  const { client, peers } = await open({ settings: [[4, 10]] });
  await failureOf(client.unary({}, { timeoutMs: 50 }));
  const text = "x".repeat(30);
  const call = client.clientStream(
    (async function* () {
      yield { text };
    })(),
  );
  await until(() => bodyOf(peers[0], 3).length === 10);
  peers[0]?.send(rst(3, 7));
  await until(() => bodyOf(peers[0], 5).length === 10);
  expect(data(5, bodyOf(peers[0], 5))).toEqual(data(5, `\0\0\0\0\x20\x0a\x1e${text}`.slice(0, 10)));
  answer(5, peers[0] as Peer);
  await call;
});
