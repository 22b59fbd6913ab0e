import { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { collect, failureOf } from "../support/outcome.js";
import { type Behaviour, describeBehaviours, type MethodName, type Scene } from "./table.js";
import { timeoutHeader } from "./wire.js";

/** Long enough for a handler to begin on a busy machine, short enough to be waited for. */
const soonMs = 250;
/** Longer than any test waits. */
const lateMs = 30_000;

// By hand in a header, because a client that knows the deadline would end the call itself.
const soon = ({ wire }: Scene) => ({ headers: timeoutHeader(wire, soonMs) });

function unfinishedBody(name: MethodName): Behaviour {
  return {
    title: `a deadline passes while the client is still sending to ${name}`,
    async run(scene) {
      const { body, ...head } = scene.prepare(name, [{ text: scene.text, data: new Uint8Array(100) }], soon(scene));
      const request = await scene.begin(head);
      request.body.write(body.subarray(0, 20));
      const { code } = scene.read(name, await request.answer);
      expect(code).toBe(Code.DeadlineExceeded);
      expect(scene.server.seen.has(scene.text)).toBe(false);
    },
  };
}

const behaviours: Behaviour[] = [
  {
    title: "a deadline ends a call whose handler heeds the signal, and is the reason of the signal",
    async run(scene) {
      const { client, server, text } = scene;
      const { code, rawMessage } = await failureOf(client.unary({ text, waitMs: lateMs }, soon(scene)));
      expect([code, rawMessage, server.seen.has(text)]).toEqual([
        Code.DeadlineExceeded,
        "the operation timed out",
        true,
      ]);
      const { reason } = (await server.seen.ended(text)) as { reason: unknown };
      expect(reason).toBeInstanceOf(ConnectError);
      expect((reason as ConnectError).code).toBe(Code.DeadlineExceeded);
    },
  },
  {
    title: "a deadline ends a call whose handler does not care",
    async run(scene) {
      const { client, server, text } = scene;
      const gate = server.seen.hold(text);
      const { code } = await failureOf(client.unary({ text }, soon(scene)));
      expect([code, server.seen.hasEnded(text)]).toEqual([Code.DeadlineExceeded, false]);
      gate.open();
    },
  },
  {
    title: "a deadline ends a server stream after the replies that came in time",
    async run(scene) {
      const { client, server, text } = scene;
      const gate = server.seen.hold(text, 2);
      const indices: number[] = [];
      const replies = client.serverStream({ text, count: 3 }, soon(scene));
      const { code } = await failureOf(
        (async () => {
          for await (const { index } of replies) indices.push(index);
        })(),
      );
      expect([code, indices]).toEqual([Code.DeadlineExceeded, [0, 1]]);
      gate.open();
    },
  },
  unfinishedBody("unary"),
  unfinishedBody("serverStream"),
  {
    title: "a deadline passes while the handler waits for more requests",
    async run(scene) {
      const { body, ...head } = scene.prepare("clientStream", [{ text: scene.text }], soon(scene));
      const request = await scene.begin(head);
      request.body.write(body);
      const { code } = scene.read("clientStream", await request.answer);
      expect([code, scene.server.seen.has(scene.text)]).toEqual([Code.DeadlineExceeded, true]);
      expect((await scene.server.seen.ended(scene.text)).kind).toBe("threw");
    },
  },
  {
    title: "a deadline of zero has passed before the handler is called",
    async run({ client, server, text, wire }) {
      const { code } = await failureOf(client.unary({ text }, { headers: timeoutHeader(wire, 0) }));
      expect([code, server.seen.has(text)]).toEqual([Code.DeadlineExceeded, false]);
    },
  },
  {
    title: "a deadline of more days than a timer can wait does not pass at once",
    async run({ client, server, text, wire }) {
      const headers = wire === "connect" ? { "connect-timeout-ms": "9999999999" } : { "grpc-timeout": "99999999H" };
      expect((await client.unary({ text, waitMs: 5 }, { headers })).text).toBe(text);
      const { timeoutMs } = await server.seen.started(text);
      expect(timeoutMs()).toBeGreaterThan(2_147_000_000);
      expect(timeoutMs()).toBeLessThanOrEqual(2_147_483_647);
    },
  },
  {
    title: "a client's own deadline reaches the handler",
    async run({ client, server, text }) {
      await collect(client.serverStream({ text, count: 1 }, { timeoutMs: 100_000 }));
      const { timeoutMs } = await server.seen.started(text);
      expect(timeoutMs()).toBeGreaterThan(80_000);
      expect(timeoutMs()).toBeLessThanOrEqual(100_000);
    },
  },
  ...["soon", "-1", "", "1.5", "99999999999"].map((value) => ({
    title: `a deadline that says "${value}" is an invalid argument`,
    async run({ client, server, text, wire }: Scene) {
      const name = wire === "connect" ? "connect-timeout-ms" : "grpc-timeout";
      const { code } = await failureOf(client.unary({ text }, { headers: { [name]: value } }));
      expect([code, server.seen.has(text)]).toEqual([Code.InvalidArgument, false]);
    },
  })),
];

describeBehaviours(
  {},
  behaviours.map((behaviour) => ({ ...behaviour, isSlow: true })),
);

describeBehaviours({ maxTimeoutMs: 1000 }, [
  {
    title: "a deadline beyond the option maxTimeoutMs is an invalid argument",
    async run({ client, text, wire }) {
      const { code, rawMessage } = await failureOf(client.unary({ text }, { headers: timeoutHeader(wire, 1001) }));
      expect([code, rawMessage]).toEqual([Code.InvalidArgument, "timeout 1001ms must be <= 1000"]);
      expect((await client.unary({ text }, { headers: timeoutHeader(wire, 1000) })).text).toBe(text);
    },
  },
]);
