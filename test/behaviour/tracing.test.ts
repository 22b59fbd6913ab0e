// Traces of calls with OpenTelemetry: spans of own and forwarded calls, their parents, and what handlers run in.
import { setTimeout as delay } from "node:timers/promises";
import { Code, createClient } from "@connectrpc/connect";
import { type Attributes, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTransport } from "../../client/index.js";
import type { CallHooks } from "../../server/index.js";
import { createTracing } from "../../server/operate/tracing/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { collect, each } from "../support/outcome.js";
import { SeenCalls } from "../support/seen-calls.js";
import { startServer, type TestServer } from "../support/server.js";
import { createTestService } from "../support/service.js";
import { Recorder, registerPropagation } from "../support/tracing.js";
import type { Wire } from "./combinations.js";
import { fronts, startProxy } from "./proxy.js";
import { describeBehaviours, type MethodName, type Scene } from "./table.js";
import { timeoutHeader } from "./wire.js";

registerPropagation();

const service = TestService.typeName;
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parentId = "00f067aa0ba902b7";
const traceparent = `00-${traceId}-${parentId}-01`;

const recorder = new Recorder();
const tracer = recorder.tracerProvider.getTracer("handler");

/** Handlers that make a span of their own, before they wait and after. */
const plain = createTestService(new SeenCalls());
const implementation: typeof plain = {
  ...plain,
  unary(message, context) {
    tracer.startSpan("work").end();
    return plain.unary(message, context);
  },
  async *serverStream(message, context) {
    tracer.startSpan("work").end();
    for await (const reply of plain.serverStream(message, context)) {
      yield reply;
      await delay(1);
      tracer.startSpan("work").end();
    }
  },
  async clientStream(messages, context) {
    for await (const _ of messages) {
      await delay(1);
      tracer.startSpan("work").end();
    }
    return plain.clientStream(each(), context);
  },
};

const onCall = createTracing(recorder);

/** What the conventions call a code over the protocol. */
function nameOf(wire: Wire | "rest", code: Code | undefined): string {
  if (code === undefined) return "OK";
  if (wire === "connect") return { [Code.Canceled]: "canceled" }[code as number] ?? snake(code);
  return { [Code.Canceled]: "CANCELLED" }[code as number] ?? snake(code).toUpperCase();
}

const snake = (code: Code) => Code[code].replace(/(?!^)([A-Z])/g, "_$1").toLowerCase();

const systemOf = (wire: Wire | "rest") => ({ connect: "connectrpc", rest: "rest" })[wire as string] ?? "grpc";

type Step = (scene: Scene) => Promise<unknown>;

/** Calls, how they end, whether their span is an error, and how many spans their handler makes. */
const calls: [title: string, method: MethodName, code: Code | undefined, isError: boolean, work: number, call: Step][] =
  [
    ["a unary call", "unary", undefined, false, 1, ({ client }) => client.unary({}, { headers: { traceparent } })],
    [
      "a server stream",
      "serverStream",
      undefined,
      false,
      3,
      ({ client }) => collect(client.serverStream({ count: 2 }, { headers: { traceparent } })),
    ],
    [
      "a client stream",
      "clientStream",
      undefined,
      false,
      2,
      ({ client }) => client.clientStream(each({}, {}), { headers: { traceparent } }),
    ],
    [
      "a call with an error of the client",
      "unary",
      Code.NotFound,
      false,
      1,
      ({ client }) => client.unary({ failure: { code: Code.NotFound, message: "m" } }, { headers: { traceparent } }),
    ],
    [
      "a call with an error of the server",
      "unary",
      Code.Unavailable,
      true,
      1,
      ({ client }) => client.unary({ failure: { code: Code.Unavailable, message: "m" } }, { headers: { traceparent } }),
    ],
    [
      "a stream that fails on its way",
      "serverStream",
      Code.DataLoss,
      true,
      2,
      ({ client }) =>
        collect(
          client.serverStream(
            { count: 2, failure: { code: Code.DataLoss, message: "m", after: 1 } },
            { headers: { traceparent } },
          ),
        ),
    ],
    [
      "a call whose deadline passes",
      "unary",
      Code.DeadlineExceeded,
      true,
      1,
      ({ client, wire }) => client.unary({ waitMs: 30_000 }, { headers: { traceparent, ...timeoutHeader(wire, 20) } }),
    ],
    [
      "a call whose head is refused",
      "serverStream",
      Code.InvalidArgument,
      false,
      0,
      ({ prepare, send, wire }) =>
        send(prepare("serverStream", [{}], { headers: { traceparent, ...timeoutHeader(wire, -1) } })),
    ],
  ];

describeBehaviours(
  { onCall, implementation },
  calls.map(([title, name, code, isError, work, call]) => ({
    title: `${title} has a SERVER span, which is the parent of those of its handler`,
    async run(scene) {
      const { server, wire, httpVersion, security } = scene;
      recorder.reset();
      const finished = server.nextFinished(name);
      await call(scene).catch(() => {});
      const { durationMs } = await finished;
      const method = `${service}/${TestService.method[name].name}`;
      await expect.poll(() => recorder.spans.length).toBe(work + 1);
      const { span, others } = split(recorder.spans, method);
      const status = nameOf(wire, code);
      const measured = {
        "rpc.system.name": systemOf(wire),
        "rpc.method": method,
        "rpc.response.status_code": status,
        ...(isError && { "error.type": status }),
      };
      expect(span.kind).toBe(SpanKind.SERVER);
      expect(span.parentSpanContext).toMatchObject({ traceId, spanId: parentId, isRemote: true });
      expect(span.attributes).toEqual({
        ...measured,
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "client.address": "127.0.0.1",
        "network.protocol.name": "http",
        "network.protocol.version": httpVersion,
      });
      expect([security, span.status.code]).toEqual([security, isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET]);
      expect(others.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
        Array(work).fill(span.spanContext().spanId),
      );
      expect(recorder.measurements).toEqual([
        { name: "rpc.server.call.duration", seconds: durationMs / 1000, attributes: measured },
      ]);
    },
  })),
);

function split(spans: readonly ReadableSpan[], name: string): { span: ReadableSpan; others: ReadableSpan[] } {
  const span = spans.find((one) => one.name === name);
  if (span === undefined) throw new Error(`expected a span ${name}, found ${spans.map((one) => one.name)}`);
  return { span, others: spans.filter((one) => one !== span) };
}

describeBehaviours({ onCall, implementation }, [
  {
    title:
      "the span of a call that ends with an unexpected error has the exception, and the client does not learn of it",
    async run({ client, server }) {
      recorder.reset();
      const finished = server.nextFinished("unary");
      await client.unary({ failure: { code: 0, message: "secret" } }).catch(() => {});
      await finished;
      const { span } = split(recorder.spans, `${service}/Unary`);
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: "internal error" });
      expect(span.events.map(({ name, attributes }) => [name, attributes?.["exception.message"]])).toEqual([
        ["exception", "secret"],
      ]);
      expect(span.parentSpanContext).toBeUndefined();
    },
  },
  {
    title: "the span of a stream ends when its client leaves",
    async run({ connect, server, text, wire }) {
      recorder.reset();
      const client = connect();
      const finished = server.nextFinished("serverStream");
      const stream = client.serverStream({ text, count: 100_000, waitMs: 1 })[Symbol.asyncIterator]();
      await stream.next();
      expect(recorder.spans.filter(({ name }) => name !== "work")).toEqual([]);
      await stream.return?.();
      client.close();
      await finished;
      const { span } = split(recorder.spans, `${service}/ServerStream`);
      expect(span.attributes["rpc.response.status_code"]).toBe(nameOf(wire, Code.Canceled));
      expect(span.status.code).toBe(SpanStatusCode.UNSET);
    },
  },
]);

const broken: CallHooks = {
  start() {
    throw new Error("start");
  },
  run(_, work) {
    work();
    work();
    throw new Error("run");
  },
  end() {
    throw new Error("end");
  },
};
const idle: CallHooks = { run() {} };
const reports: string[] = [];

describeBehaviours({ onCall: [broken, idle], onConnectionError: ({ message }) => reports.push(message) }, [
  {
    title: "hooks that fail, that do the work twice or not at all, change nothing for a call",
    async run({ client, server, text }) {
      reports.length = 0;
      const finished = server.nextFinished("unary");
      expect((await client.unary({ text })).text).toBe(text);
      const { messagesReceived, messagesSent } = await finished;
      expect([messagesReceived, messagesSent]).toEqual([1, 1]);
      await expect.poll(() => reports).toEqual(["start", "run", "end"]);
    },
  },
]);

describe("a drain", () => {
  test("ends the spans of streams that it cuts", async () => {
    recorder.reset();
    const server = await startServer({ onCall, drainTimeoutMs: 20, mayCutCalls: true });
    const client = createClient(TestService, createTransport({ protocol: "grpc", baseUrl: server.url }));
    const finished = server.nextFinished("serverStream");
    const stream = client.serverStream({ count: 100_000, waitMs: 5 })[Symbol.asyncIterator]();
    await stream.next();
    await server[Symbol.asyncDispose]();
    await finished;
    await stream.next().catch(() => {});
    const { span } = split(recorder.spans, `${service}/ServerStream`);
    expect(span.attributes["error.type"]).toBe("UNAVAILABLE");
  });
});

describe.each([true, false])("calls through a proxy, fastLane %s", (fastLane) => {
  const upstreamRecorder = new Recorder();
  let upstream: TestServer;
  beforeAll(async () => {
    upstream = await startServer({ onCall: createTracing(upstreamRecorder) });
  });
  afterAll(() => upstream[Symbol.asyncDispose]());

  const open = async (hooks: readonly CallHooks[] = [onCall]) => {
    const proxy = await startProxy([upstream.url], { onCall: hooks, fastLane, onConnectionError: () => {} });
    recorder.reset();
    upstreamRecorder.reset();
    return proxy;
  };

  test.each(Object.entries(fronts))("%s: one trace from the client to the upstream", async (_, { wire, unary }) => {
    const proxy = await open();
    const { status } = await request(
      proxy.url,
      unary({ text: "a" }, { traceparent, tracestate: "a=1", baggage: "b=2" }),
    );
    expect(status).toBe(200);
    await expect.poll(() => [recorder.spans.length, upstreamRecorder.spans.length]).toEqual([2, 1]);
    const [client, server] = [SpanKind.CLIENT, SpanKind.SERVER].map((kind) => spanOf(recorder, kind));
    const far = spanOf(upstreamRecorder, SpanKind.SERVER);
    expect([client, server, far].map((span) => span?.spanContext().traceId)).toEqual([traceId, traceId, traceId]);
    expect(server?.parentSpanContext?.spanId).toBe(parentId);
    expect(client?.parentSpanContext?.spanId).toBe(server?.spanContext().spanId);
    expect(far?.parentSpanContext?.spanId).toBe(client?.spanContext().spanId);
    expect(far?.spanContext().traceState?.serialize()).toBe("a=1");
    expect(server?.attributes["rpc.system.name"]).toBe(systemOf(wire));
    const { port } = new URL(upstream.url);
    const attributes: Attributes = {
      "rpc.system.name": "grpc",
      "rpc.method": `${service}/Unary`,
      "rpc.response.status_code": "OK",
    };
    expect(client?.attributes).toEqual({ ...attributes, "server.address": "127.0.0.1", "server.port": Number(port) });
    expect(recorder.measurements.map(({ name }) => name).sort()).toEqual([
      "rpc.client.call.duration",
      "rpc.server.call.duration",
    ]);
    expect(recorder.measurements.find(({ name }) => name.includes("client"))?.attributes).toEqual(attributes);
  });

  test.each(Object.entries(fronts))("%s: an error of the client is one of the CLIENT span", async (_, { unary }) => {
    const proxy = await open();
    await request(proxy.url, unary({ failure: { code: Code.NotFound, message: "gone" } }));
    await expect.poll(() => recorder.spans.length).toBe(2);
    const [client, server] = [SpanKind.CLIENT, SpanKind.SERVER].map((kind) => spanOf(recorder, kind));
    expect(client?.status).toEqual({ code: SpanStatusCode.ERROR, message: "gone" });
    expect(client?.attributes["error.type"]).toBe("NOT_FOUND");
    expect(server?.status.code).toBe(SpanStatusCode.UNSET);
  });

  test.each(["grpc", "grpc-web", "connect"] as const)(
    "%s: the CLIENT span of a stream ends when the caller leaves",
    async (protocol) => {
      const proxy = await open();
      for (const useBinaryFormat of [true, false]) {
        recorder.reset();
        const transport = createTransport({ protocol, baseUrl: proxy.url, useBinaryFormat });
        const { signal, abort } = abortable();
        const stream = createClient(TestService, transport).serverStream({ count: 100_000, waitMs: 2 }, { signal });
        const replies = stream[Symbol.asyncIterator]();
        await replies.next();
        expect(recorder.spans).toEqual([]);
        abort();
        await replies.next().catch(() => {});
        await expect.poll(() => recorder.spans.length).toBe(2);
        expect(spanOf(recorder, SpanKind.CLIENT)?.attributes["rpc.response.status_code"]).toBe("CANCELLED");
      }
    },
  );

  test("an upstream that is away ends the CLIENT span", async () => {
    const away = await startServer();
    const proxy = await startProxy([away.url], { onCall: [onCall], fastLane });
    await away[Symbol.asyncDispose]();
    recorder.reset();
    for (const front of [fronts.gRPC, fronts["Connect with JSON"]]) {
      if (front !== undefined) await request(proxy.url, front.unary({ text: "a" }));
    }
    await expect.poll(() => recorder.spans.length).toBe(4);
    expect(recorder.spans.map(({ attributes }) => String(attributes["error.type"]).toUpperCase())).toEqual(
      Array(4).fill("UNAVAILABLE"),
    );
  });

  test.each(Object.entries(fronts))("%s: hooks may set headers, and may fail", async (_, { unary }) => {
    const ends: unknown[] = [];
    const named: CallHooks = {
      forward(call, { url, setHeader }) {
        setHeader("x-echo-by", call.requestId);
        ends.push(url);
        return (error) => {
          ends.push(error?.code);
          throw new Error("end");
        };
      },
    };
    const bad: CallHooks = {
      forward(_, { setHeader }) {
        setHeader("x-echo-bad", "a\nb");
        return undefined;
      },
    };
    const proxy = await open([named, bad]);
    const { headers } = await request(
      proxy.url,
      unary({ text: "a" }, { "x-request-id": "r-1", "x-echo-by": "client" }),
    );
    expect(headers["x-echo-by"]).toBe("r-1");
    expect(headers["x-echo-bad"]).toBeUndefined();
    await expect.poll(() => ends).toEqual([`${upstream.url}/`, undefined]);
  });
});

function abortable(): { readonly signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

function spanOf({ spans }: Recorder, kind: SpanKind): ReadableSpan | undefined {
  return spans.find((span) => span.kind === kind);
}

test("nothing is traced outside of calls", () => {
  expect(trace.getActiveSpan()).toBeUndefined();
});
