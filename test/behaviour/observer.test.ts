import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import type { FinishedCall } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { type Behaviour, describeBehaviours, type MethodName, type Scene } from "./table.js";
import { timeoutHeader } from "./wire.js";

type Step = (scene: Scene) => Promise<unknown>;

/** Calls, how they end, and what the observer gets. */
const calls: [title: string, method: MethodName, code: Code | undefined, call: Step][] = [
  ["a unary call", "unary", undefined, ({ client }) => client.unary({})],
  ["a server stream", "serverStream", undefined, ({ client }) => collect(client.serverStream({ count: 3 }))],
  ["a client stream", "clientStream", undefined, ({ client }) => client.clientStream(each({}, {}))],
  ["a call that fails", "unary", Code.NotFound, ({ client }) => client.unary({ failure: { code: Code.NotFound } })],
  [
    "a stream that fails on its way",
    "serverStream",
    Code.DataLoss,
    ({ client }) => collect(client.serverStream({ count: 2, failure: { code: Code.DataLoss, after: 1 } })),
  ],
  [
    "a call whose deadline passes",
    "unary",
    Code.DeadlineExceeded,
    ({ client, wire }) => client.unary({ waitMs: 30_000 }, { headers: timeoutHeader(wire, 20) }),
  ],
  [
    "a call that cannot be read",
    "serverStream",
    Code.InvalidArgument,
    ({ prepare, send }) => {
      const { body, ...head } = prepare("serverStream", [{ text: "cut" }]);
      return send({ ...head, body: body.subarray(0, 4) });
    },
  ],
  ["a method that is not implemented", "missing", Code.Unimplemented, ({ client }) => client.missing({})],
];

function told({ method, protocol, code, durationMs, error }: FinishedCall) {
  return {
    method: method.path,
    protocol,
    code,
    errorCode: error?.code,
    isTimed: durationMs >= 0 && durationMs < 4000,
  };
}

describeBehaviours(
  {},
  calls.map(
    ([title, name, code, call]): Behaviour => ({
      title: `the observer is called once for ${title}`,
      async run(scene) {
        const { server, wire } = scene;
        const before = server.finished.length;
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
        };
        expect(server.finished.slice(before).map(told)).toEqual([expected]);
      },
    }),
  ),
);

describeBehaviours({}, [
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
  describeBehaviours(
    { onCall: () => observe() as undefined, onConnectionError: (error, step) => reports.push([error.message, step]) },
    [
      {
        title: `an observer that ${how} changes nothing for a call, and is reported`,
        async run({ client, text }) {
          reports.length = 0;
          expect((await client.unary({ text })).text).toBe(text);
          expect((await collect(client.serverStream({ count: 2 }))).length).toBe(2);
          const { code } = await failureOf(client.unary({ failure: { code: Code.NotFound } }));
          expect(code).toBe(Code.NotFound);
          await expect.poll(() => reports).toEqual(Array(3).fill(["observer", "observer"]));
        },
      },
    ],
  );
}
