import { Code, type Interceptor } from "@connectrpc/connect";
import { expect } from "vitest";
import { type CallObserver, callInfo, type FinishedCall, type StartedCall } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { type Behaviour, describeBehaviours, type MethodName, type Scene } from "./table.js";
import { timeoutHeader } from "./wire.js";

type Step = (scene: Scene) => Promise<unknown>;

/** Calls, how they end, how many messages the observer counts, of requests and of replies, and what it gets. */
const calls: [title: string, method: MethodName, code: Code | undefined, messages: [number, number], call: Step][] = [
  ["a unary call", "unary", undefined, [1, 1], ({ client }) => client.unary({})],
  ["a server stream", "serverStream", undefined, [1, 3], ({ client }) => collect(client.serverStream({ count: 3 }))],
  ["a client stream", "clientStream", undefined, [2, 1], ({ client }) => client.clientStream(each({}, {}))],
  [
    "a call that fails",
    "unary",
    Code.NotFound,
    [1, 0],
    ({ client }) => client.unary({ failure: { code: Code.NotFound } }),
  ],
  [
    "a stream that fails on its way",
    "serverStream",
    Code.DataLoss,
    [1, 1],
    ({ client }) => collect(client.serverStream({ count: 2, failure: { code: Code.DataLoss, after: 1 } })),
  ],
  [
    "a call whose deadline passes",
    "unary",
    Code.DeadlineExceeded,
    [1, 0],
    ({ client, wire }) => client.unary({ waitMs: 30_000 }, { headers: timeoutHeader(wire, 20) }),
  ],
  [
    "a call that cannot be read",
    "serverStream",
    Code.InvalidArgument,
    [0, 0],
    ({ prepare, send }) => {
      const { body, ...head } = prepare("serverStream", [{ text: "cut" }]);
      return send({ ...head, body: body.subarray(0, 4) });
    },
  ],
  ["a method that is not implemented", "missing", Code.Unimplemented, [1, 0], ({ client }) => client.missing({})],
  [
    "a call whose head is refused",
    "serverStream",
    Code.InvalidArgument,
    [0, 0],
    ({ prepare, send, wire }) => send(prepare("serverStream", [{}], { headers: timeoutHeader(wire, -1) })),
  ],
];

function told({ method, protocol, code, durationMs, error, messagesReceived, messagesSent }: FinishedCall) {
  return {
    method: method.path,
    protocol,
    code,
    errorCode: error?.code,
    isTimed: durationMs >= 0 && durationMs < 4000,
    messages: [messagesReceived, messagesSent],
  };
}

/** Calls that have started. Those that have ended are in `server.finished`. */
const started: StartedCall[] = [];
const onStart: CallObserver = { start: (call) => void started.push(call) };

describeBehaviours(
  { onCall: onStart },
  calls.map(
    ([title, name, code, messages, call]): Behaviour => ({
      title: `the observer is called once at the start and once at the end of ${title}`,
      async run(scene) {
        const { server, wire } = scene;
        const before = server.finished.length;
        started.length = 0;
        const finished = server.nextFinished(name);
        await call(scene).catch(() => {});
        await finished;
        const protocol = wire === "grpc-web-text" ? "grpc-web" : wire;
        const expected = {
          method: `/manywire.test.v1.TestService/${TestService.method[name].name}`,
          protocol,
          code,
          errorCode: code,
          isTimed: true,
          messages,
        };
        expect(server.finished.slice(before).map(told)).toEqual([expected]);
        expect(started).toEqual(server.finished.slice(before));
        expect(started[0]).toBe(server.finished.at(-1));
      },
    }),
  ),
);

/** Notes what is known when the handler is called. */
const known = new Map<string, boolean>();
const isKnown: Interceptor = (next) => (request) => {
  const info = request.contextValues.get(callInfo);
  known.set(
    info?.requestId ?? "",
    started.some(({ requestId }) => requestId === info?.requestId),
  );
  return next(request);
};

describeBehaviours({ onCall: onStart, interceptors: [isKnown] }, [
  {
    title: "the observer counts the bytes of both bodies as they are on the wire",
    async run({ prepare, send, server, text }) {
      const finished = server.nextFinished("unary");
      const request = prepare("unary", [{ text, replyBytes: 300 }]);
      const { body } = await send(request);
      const { bytesReceived, bytesSent } = await finished;
      expect([bytesReceived, bytesSent]).toEqual([request.body.length, body.length]);
    },
  },
  {
    title: "the observer counts the bytes of a stream as they are on the wire",
    async run({ prepare, send, server }) {
      const finished = server.nextFinished("serverStream");
      const request = prepare("serverStream", [{ count: 20, replyBytes: 5000 }]);
      const { body } = await send(request);
      const { bytesReceived, bytesSent } = await finished;
      expect([bytesReceived, bytesSent]).toEqual([request.body.length, body.length]);
      expect(bytesSent).toBeGreaterThan(100_000);
    },
  },
  {
    title: "observer, interceptor and handler know the client and its request, by the identifier that it has sent",
    async run({ prepare, send, server, text, httpVersion }) {
      const id = `id-${text.replace(" ", "-")}`;
      const finished = server.nextFinished("unary");
      await send(prepare("unary", [{ text }], { headers: { "x-request-id": id } }));
      const { requestId, peer, request } = await finished;
      const { values } = await server.seen.started(text);
      expect([requestId, values.get(callInfo)?.requestId, known.get(id)]).toEqual([id, id, true]);
      expect([peer, values.get(callInfo)?.peer]).toEqual(["127.0.0.1", "127.0.0.1"]);
      expect(request.url).toBe("/manywire.test.v1.TestService/Unary");
      expect(request.httpVersion).toBe(httpVersion === "2" ? "2.0" : "1.1");
      expect(values.get(callInfo)?.request.headers["x-request-id"]).toBe(id);
    },
  },
  {
    title: "a call without a usable identifier gets one, which no other call has",
    async run({ prepare, send, server, text }) {
      const seen = new Set<string>();
      const unusable = [undefined, "", "a b", "x".repeat(129), "ä"];
      for (const id of unusable) {
        const finished = server.nextFinished("unary");
        await send(prepare("unary", [{ text }], id === undefined ? {} : { headers: { "x-request-id": id } }));
        const { requestId } = await finished;
        expect(requestId).toMatch(/^[!-~]{8,40}$/);
        seen.add(requestId);
      }
      expect(seen.size).toBe(unusable.length);
    },
  },
  {
    title: "the observer is not called for requests that are not calls",
    async run({ prepare, send, server, text }) {
      const before = server.finished.length;
      const { body: _, ...request } = prepare("unary", [{ text }]);
      await send({ ...request, method: "GET" });
      await send({ ...request, path: "/nothing/here" });
      await send({ ...request, headers: {} });
      const finished = server.nextFinished("unary");
      await send(prepare("unary", [{ text }]));
      await finished;
      expect(server.finished.slice(before).length).toBe(1);
    },
  },
]);

const observers: [how: string, observe: () => unknown][] = [
  [
    "throws",
    () => {
      throw new Error("observer");
    },
  ],
  ["rejects", () => Promise.reject(new Error("observer"))],
];

for (const [how, observe] of observers) {
  const reports: unknown[] = [];
  const broken = () => observe() as undefined;
  describeBehaviours(
    {
      onCall: [broken, { start: broken, end: broken }],
      onConnectionError: (error, step) => reports.push([error.message, step]),
    },
    [
      {
        title: `an observer that ${how} changes nothing for a call, and is reported`,
        async run({ client, text }) {
          reports.length = 0;
          expect((await client.unary({ text })).text).toBe(text);
          expect((await collect(client.serverStream({ count: 2 }))).length).toBe(2);
          const { code } = await failureOf(client.unary({ failure: { code: Code.NotFound } }));
          expect(code).toBe(Code.NotFound);
          await expect.poll(() => reports).toEqual(Array(9).fill(["observer", "observer"]));
        },
      },
    ],
  );
}
