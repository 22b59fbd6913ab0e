import { Code } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import { expect } from "vitest";
import type { FinishedCall } from "../../server/index.js";
import { encodeFrame, encodeHeaders, frameFlags, frameTypes, preface } from "../support/http2-frames.js";
import { collect, failureOf } from "../support/outcome.js";
import { openRaw, type RawSocket } from "../support/raw-socket.js";
import type { Exception } from "./combinations.js";
import { type Behaviour, describeBehaviours, type MethodName, type Scene, type TestClient } from "./table.js";

const lateMs = 30_000;

/** Calls a method so that its handler has begun and is waiting. */
type Begin = (client: TestClient, text: string, signal: AbortSignal) => Promise<unknown>;

interface Waiting {
  /** What the handler waits for. */
  title: string;
  method: MethodName;
  begin: Begin;
  except?: Exception[];
  /** Whether the client has sent all that it will. */
  isWhole: boolean;
}

async function drain(replies: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of replies);
}

const endsFirst: Exception = {
  httpVersion: "2",
  reason: "Node's client ends its side before it resets the stream, so that the request is whole",
};

/** Requests of which one comes at once, and no other. */
function endless<T>(first: T): AsyncIterable<T> {
  const requests = createWritableIterable<T>();
  void requests.write(first);
  return requests;
}

const waiting: Waiting[] = [
  {
    title: "a unary call",
    method: "unary",
    begin: (client, text, signal) => client.unary({ text, waitMs: lateMs }, { signal }),
    isWhole: true,
  },
  {
    title: "a server stream between replies",
    method: "serverStream",
    begin: (client, text, signal) => drain(client.serverStream({ text, count: 3, waitMs: lateMs }, { signal })),
    isWhole: true,
  },
  {
    title: "a client stream between requests",
    method: "clientStream",
    begin: (client, text, signal) => client.clientStream(endless({ text }), { signal }),
    isWhole: false,
  },
  {
    title: "a bidirectional stream between requests",
    method: "bidiStream",
    begin: (client, text, signal) => drain(client.bidiStream(endless({ text }), { signal })),
    isWhole: false,
    except: [{ httpVersion: "1.1", reason: "it is not served there" }],
  },
];

/** The handler hears of it by an error, not by an end of requests that looks like the client's own; the observer by a code. */
async function expectCancelled({ server, text }: Scene, finished: Promise<FinishedCall>): Promise<void> {
  expect((await server.seen.ended(text)).kind).toBe("threw");
  expect((await server.seen.started(text)).signal.aborted).toBe(true);
  expect((await finished).code).toBe(Code.Canceled);
}

/** Sends a request on a connection of HTTP/2 by its frames. */
async function sendFrames(scene: Scene, { method, isWhole }: Waiting): Promise<RawSocket> {
  const { path, headers, body } = scene.prepare(method, [{ text: scene.text, count: 3, waitMs: isWhole ? lateMs : 0 }]);
  const { protocol, host } = new URL(scene.server.url);
  const fields: [string, string][] = [
    [":method", "POST"],
    [":scheme", protocol.slice(0, -1)],
    [":authority", host],
    [":path", path],
    ["content-type", String(headers?.["content-type"])],
  ];
  const socket = await openRaw(scene.server.url, { ALPNProtocols: ["h2"] });
  socket.write(Buffer.concat([preface, encodeFrame(frameTypes.settings, 0, 0)]));
  socket.write(encodeFrame(frameTypes.headers, frameFlags.endHeaders, 1, encodeHeaders(fields)));
  socket.write(encodeFrame(frameTypes.data, isWhole ? frameFlags.endStream : 0, 1, body));
  return socket;
}

describeBehaviours({}, [
  ...waiting.map(
    (how): Behaviour => ({
      title: `a reset with CANCEL ends ${how.title}, and the handler hears of it`,
      except: [{ httpVersion: "1.1", reason: "it has no streams" }],
      async run(scene) {
        const finished = scene.server.nextFinished(how.method);
        await using socket = await sendFrames(scene, how);
        await scene.server.seen.started(scene.text);
        socket.write(encodeFrame(frameTypes.rstStream, 0, 1, Buffer.of(0, 0, 0, 8)));
        await expectCancelled(scene, finished);
      },
    }),
  ),
  ...waiting.map(
    ({ title, method, begin, isWhole, except = [] }): Behaviour => ({
      title: `the client cancels ${title}, and the handler hears of it`,
      except: isWhole ? except : [...except, endsFirst],
      async run(scene) {
        const { client, server, text } = scene;
        const controller = new AbortController();
        const finished = server.nextFinished(method);
        const failure = failureOf(begin(client, text, controller.signal));
        await server.seen.started(text);
        controller.abort();
        expect((await failure).code).toBe(Code.Canceled);
        await expectCancelled(scene, finished);
      },
    }),
  ),
  ...waiting.map(
    ({ title, method, begin, except = [] }): Behaviour => ({
      title: `the client vanishes from ${title}, and the handler hears of it`,
      except,
      async run(scene) {
        const { connect, server, text } = scene;
        const client = connect();
        const finished = server.nextFinished(method);
        const failure = failureOf(begin(client, text, new AbortController().signal));
        await server.seen.started(text);
        client.close();
        await failure;
        await expectCancelled(scene, finished);
      },
    }),
  ),
  {
    title: "a connection that is reset cancels its call",
    async run(scene) {
      const { body, ...head } = scene.prepare("unary", [{ text: scene.text, waitMs: lateMs }]);
      const finished = scene.server.nextFinished("unary");
      const request = await scene.begin(head);
      request.body.end(body);
      await scene.server.seen.started(scene.text);
      request.vanish();
      await expectCancelled(scene, finished);
    },
  },
  {
    title: "a client that vanishes before its request is whole cancels a call without a handler",
    async run({ prepare, begin, client, server, text }) {
      const { body, ...head } = prepare("unary", [{ text }]);
      const finished = server.nextFinished("unary");
      const request = await begin(head);
      request.body.write(body.subarray(0, 3));
      // The server reads what was written before it reads a call on another connection.
      await collect(client.serverStream({ text: `${text} later`, count: 1 }));
      request.vanish();
      expect((await finished).code).toBe(Code.Canceled);
      expect(server.seen.has(text)).toBe(false);
    },
  },
  {
    title: "a cancelled call has ended although its handler has not",
    async run({ connect, server, text }) {
      const gate = server.seen.hold(text);
      const client = connect();
      const finished = server.nextFinished("unary");
      const failure = failureOf(client.unary({ text }));
      const { signal } = await server.seen.started(text);
      client.close();
      await failure;
      expect((await finished).code).toBe(Code.Canceled);
      expect([signal.aborted, server.seen.hasEnded(text)]).toEqual([true, false]);
      gate.open();
    },
  },
  {
    title: "a client that stops reading closes the handler's generator",
    async run({ client, server, text }) {
      const controller = new AbortController();
      const finished = server.nextFinished("serverStream");
      const indices: number[] = [];
      const { signal } = controller;
      const failure = failureOf(
        (async () => {
          for await (const { index } of client.serverStream({ text, count: 100_000, replyBytes: 20_000 }, { signal })) {
            if (indices.push(index) === 3) controller.abort();
          }
        })(),
      );
      expect((await failure).code).toBe(Code.Canceled);
      expect((await server.seen.ended(text)).kind).toBe("left");
      expect((await finished).code).toBe(Code.Canceled);
    },
  },
]);
