// Calls that fail and are sent again, by a policy of the service config: over every protocol, and what the server sees.
import type { JsonObject } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { Code, ConnectError, createClient, createTransport, type TransportOptions } from "../../../client/index.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { collect, each, failureOf } from "../../support/outcome.js";
import { startRestServer } from "../../support/rest-service.js";

type Options = Omit<TransportOptions, "baseUrl">;

const through: Interceptor = (next) => next;

const wires: [name: string, options: Options][] = [
  ["gRPC", { protocol: "grpc" }],
  ["gRPC with JSON and interceptors", { protocol: "grpc", useBinaryFormat: false, interceptors: [through] }],
  ["gRPC-Web", { protocol: "grpc-web" }],
  ["gRPC-Web over HTTP/1.1", { protocol: "grpc-web", httpVersion: "1.1" }],
  ["Connect", { protocol: "connect" }],
  ["Connect with JSON over HTTP/1.1", { protocol: "connect", httpVersion: "1.1", useBinaryFormat: false }],
  ["REST", { protocol: "rest" }],
  ["REST over HTTP/1.1", { protocol: "rest", httpVersion: "1.1" }],
];

const policy = {
  maxAttempts: 4,
  initialBackoff: "0.01s",
  maxBackoff: "0.02s",
  backoffMultiplier: 2,
  retryableStatusCodes: ["UNAVAILABLE"],
};

const config = (change: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  methodConfig: [{ name: [{}], retryPolicy: { ...policy, ...change } }],
  ...more,
});

/** A wait that no test sees the end of. */
const never = { initialBackoff: "1000s", maxBackoff: "1000s" };

const down = (header?: HeadersInit) => new ConnectError("down", Code.Unavailable, header);

/** Starts a server whose attempts have these outcomes, in their order, and a client that calls it. */
async function connect(options: Options, outcomes: (ConnectError | undefined)[], serviceConfig = config()) {
  const seen: { attempts: string | null; timeoutMs: number | undefined; texts: string[] }[] = [];
  let onAttempt = () => {};
  const attempt = (context: HandlerContext, ...texts: string[]) => {
    const attempts = context.requestHeader.get("grpc-previous-rpc-attempts");
    const outcome = outcomes[seen.length];
    seen.push({ attempts, timeoutMs: context.timeoutMs(), texts });
    onAttempt();
    if (outcome !== undefined) throw outcome;
  };
  const server = await startRestServer({
    async whole(request, context) {
      attempt(context, request.text);
      return request;
    },
    async query(request, context) {
      attempt(context, request.text);
      return request;
    },
    async *serverStream(request, context) {
      // The failure comes after so many messages.
      for (let index = 0n; index < request.number; index++) yield { ...request, number: index };
      attempt(context, request.text);
      yield { ...request, text: "end" };
    },
    async clientStream(requests, context) {
      const texts: string[] = [];
      for await (const { text } of requests) {
        texts.push(text);
        // One that does not read on.
        if (text === "stop" && outcomes[seen.length] !== undefined) break;
      }
      attempt(context, ...texts);
      return { words: texts };
    },
    async *bidiStream(requests, context) {
      const texts: string[] = [];
      for await (const { text } of requests) texts.push(text);
      attempt(context, ...texts);
      for (const text of texts) yield { text };
    },
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const transport = createTransport({ ...options, baseUrl: server.url, serviceConfig });
  onTestFinished(() => transport.close());
  const attempted = new Promise<void>((resolve) => {
    onAttempt = resolve;
  });
  return { client: createClient(RestService, transport), transport, seen, attempted };
}

const attemptsOf = (seen: readonly { attempts: string | null }[]) => seen.map(({ attempts }) => attempts);

describe.each(wires)("%s", (_, options) => {
  test("a call that fails twice succeeds, and both sides know how often it was sent", async () => {
    const { client, seen } = await connect(options, [down(), down()]);
    let header = new Headers();
    const onHeader = (found: Headers) => {
      header = found;
    };
    expect((await client.whole({ text: "a" }, { onHeader })).text).toBe("a");
    expect(attemptsOf(seen)).toEqual([null, "1", "2"]);
    expect(header.get("grpc-previous-rpc-attempts")).toBe("2");
    expect((await client.query({ text: "b" })).text).toBe("b");
  });

  test("the caller gets the last error", async () => {
    const outcomes = [1, 2, 3, 4].map((count) => new ConnectError(`down ${count}`, Code.Unavailable));
    const { client, seen } = await connect(options, outcomes);
    const error = await failureOf(client.query({ text: "a" }));
    expect(error).toMatchObject({ code: Code.Unavailable, rawMessage: "down 4" });
    expect(error.metadata.get("grpc-previous-rpc-attempts")).toBe("3");
    expect(seen.length).toBe(4);
  });

  test("a code that the policy does not have is not tried again", async () => {
    const { client, seen } = await connect(options, [down(), new ConnectError("no", Code.Internal)]);
    expect((await failureOf(client.whole({}))).code).toBe(Code.Internal);
    expect(seen.length).toBe(2);
  });

  test("the server says when it is tried again, and that it is not", async () => {
    const outcomes = [down({ "grpc-retry-pushback-ms": "1" }), down({ "grpc-retry-pushback-ms": "-1" })];
    const { client, seen } = await connect(options, outcomes, config(never));
    expect((await failureOf(client.whole({}))).code).toBe(Code.Unavailable);
    expect(seen.length).toBe(2);
  });

  test("nothing is tried again while too many calls fail", async () => {
    const all = [down(), down(), down()];
    const throttled = config({}, { retryThrottling: { maxTokens: 4, tokenRatio: 1 } });
    const { client, seen } = await connect(options, [...all, undefined, undefined, undefined, down()], throttled);
    // 3 tokens, then 2.
    await failureOf(client.whole({}));
    expect(seen.length).toBe(2);
    await failureOf(client.whole({}));
    expect(seen.length).toBe(3);
    await client.whole({});
    for (let count = 0; count < 2; count++) await collect(client.serverStream({}));
    await client.whole({});
    expect(seen.length).toBe(8);
  });

  test("a server stream is sent again until its first message", async () => {
    const { client, seen } = await connect(options, [down(), down()]);
    expect((await collect(client.serverStream({ text: "a" }))).map(({ text }) => text)).toEqual(["end"]);
    expect(attemptsOf(seen)).toEqual([null, "1", "2"]);
  });

  test("a server stream that has begun is not sent again", async () => {
    const { client, seen } = await connect(options, [down()]);
    const numbers: bigint[] = [];
    const read = async () => {
      for await (const { number } of client.serverStream({ number: 2n })) numbers.push(number);
    };
    expect((await failureOf(read())).rawMessage).toBe("down");
    expect([numbers, seen.length]).toEqual([[0n, 1n], 1]);
  });

  test("a client stream is sent again from its beginning", async () => {
    const { client, seen } = await connect(options, [down(), down()]);
    const requests = each({ text: "a" }, { text: "stop" }, { text: "b" });
    expect((await client.clientStream(requests)).words).toEqual(["a", "stop", "b"]);
    expect(seen.map(({ texts }) => texts)).toEqual([
      ["a", "stop"],
      ["a", "stop"],
      ["a", "stop", "b"],
    ]);
  });

  test("a client stream that is too long to be kept is sent once", async () => {
    const { client, seen } = await connect(options, [down()]);
    const data = new Uint8Array(300_000);
    const error = await failureOf(client.clientStream(each(...[1, 2, 3, 4].map(() => ({ data })))));
    expect([error.rawMessage, seen.length]).toEqual(["down", 1]);
  });

  test("requests that cannot be read end the call, whatever their error is", async () => {
    const { client, seen } = await connect(options, []);
    async function* failing() {
      yield { text: "a" };
      throw new ConnectError("mine", Code.Unavailable);
    }
    expect((await failureOf(client.clientStream(failing()))).rawMessage).toBe("mine");
    expect(seen.length).toBe(0);
  });

  test.skipIf(options.httpVersion === "1.1")("a bidirectional stream is sent again from its beginning", async () => {
    const { client, seen } = await connect(options, [down(), down()]);
    const replies = await collect(client.bidiStream(each({ text: "a" }, { text: "b" })));
    expect(replies.map(({ text }) => text)).toEqual(["a", "b"]);
    expect(seen.length).toBe(3);
  });

  test("a method has a longest deadline, which comes before the transport's", async () => {
    const limited = { methodConfig: [{ name: [{ service: RestService.typeName, method: "Whole" }], timeout: "5s" }] };
    const { client, seen } = await connect({ ...options, defaultTimeoutMs: 100_000 }, [], limited);
    for (const timeoutMs of [60_000, 0, 1000]) await client.whole({}, { timeoutMs });
    await client.whole({});
    await client.query({});
    // What is left after the way to the server.
    const seconds = seen.map(({ timeoutMs = 0 }) => Math.ceil(timeoutMs / 1000));
    expect(seconds).toEqual([5, 5, 1, 5, 100]);
  });

  test("all attempts have one deadline, which the server knows", async () => {
    const pushback = down({ "grpc-retry-pushback-ms": "50" });
    const { client, seen } = await connect(options, [pushback], config(never));
    await client.whole({}, { timeoutMs: 10_000 });
    const [first = 0, second = 0] = seen.map(({ timeoutMs }) => timeoutMs);
    expect(first - second).toBeGreaterThanOrEqual(45);
    expect(second).toBeGreaterThan(5000);
  });

  test("a wait that the deadline would end is not begun: the caller gets the error that is the cause", async () => {
    const { client, seen } = await connect(options, [down(), down()], config(never));
    expect((await failureOf(client.whole({}, { timeoutMs: 60_000 }))).code).toBe(Code.Unavailable);
    expect((await failureOf(collect(client.serverStream({}, { timeoutMs: 60_000 })))).code).toBe(Code.Unavailable);
    expect(seen.length).toBe(2);
  });

  test("a caller that leaves ends the wait", async () => {
    const { client, seen, attempted } = await connect(options, [down()], config(never));
    const controller = new AbortController();
    const called = failureOf(client.whole({}, { signal: controller.signal }));
    await attempted;
    setTimeout(() => controller.abort(), 20);
    expect((await called).code).toBe(Code.Canceled);
    expect(seen.length).toBe(1);
  });

  test("closing the transport ends the wait", async () => {
    const { client, transport, attempted } = await connect(options, [down()], config(never));
    const called = failureOf(collect(client.serverStream({})));
    await attempted;
    setTimeout(() => transport.close(), 20);
    expect(await called).toMatchObject({ code: Code.Canceled, rawMessage: "the transport was closed" });
  });

  test("interceptors see one call", async () => {
    const outcomes: string[] = [];
    const watch: Interceptor = (next) => async (request) => {
      const response = await next(request);
      outcomes.push(response.header.get("grpc-previous-rpc-attempts") ?? "");
      return response;
    };
    const { client, seen } = await connect({ ...options, interceptors: [watch] }, [down(), down()]);
    await client.whole({});
    expect([outcomes, seen.length]).toEqual([["2"], 3]);
  });
});
