import { create, type Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  createMethodImplSpec,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import { validateUniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { describe, expect, test } from "vitest";
import { withBoundaries } from "../../../server/call/error-boundary.js";
import { invokeStream, invokeUnary, isPromise, takeSingle } from "../../../server/call/invoke.js";
import type { StreamMethod, UnaryMethod } from "../../../server/call/method.js";
import { commonTypes } from "../../../server/schema/types.js";
import { type TestReply, TestRequestSchema, TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { collect, each, failureOf } from "../../support/outcome.js";
import type { TestServiceImpl } from "../../support/service.js";
import { openContext } from "./support.js";

type Name = keyof TestServiceImpl;

function methodBase(name: Name, interceptors: Interceptor[]) {
  const descriptor = TestService.method[name];
  return {
    path: `/${descriptor.parent.typeName}/${descriptor.name}`,
    options: validateUniversalHandlerOptions({ interceptors }),
    types: commonTypes,
    protocols: new Set(["connect"] as const),
    interceptors: withBoundaries(interceptors),
  };
}

function method(name: "unary", impl: TestServiceImpl["unary"], ...interceptors: Interceptor[]): UnaryMethod {
  const spec = createMethodImplSpec(TestService.method[name], impl);
  return { ...methodBase(name, interceptors), kind: "unary", spec: spec as UnaryMethod["spec"] };
}

type StreamName = "serverStream" | "clientStream" | "bidiStream";

function streamMethod<N extends StreamName>(
  name: N,
  impl: TestServiceImpl[N],
  ...interceptors: Interceptor[]
): StreamMethod {
  const spec = createMethodImplSpec(TestService.method[name], impl as never) as StreamMethod["spec"];
  return { ...methodBase(name, interceptors), kind: spec.kind, spec };
}

const request = (text: string): Message => create(TestRequestSchema, { text });
const same: Interceptor = (next) => (call) => next(call);

describe("a unary method", () => {
  test("that responds synchronously yields a whole message at once", () => {
    const reply = invokeUnary(
      method("unary", ({ text }) => ({ text })),
      request("a"),
      openContext(),
    );
    expect(isPromise(reply)).toBe(false);
    expect(reply).toMatchObject({ $typeName: "manywire.test.v1.TestReply", text: "a", index: 0 });
  });

  test("that responds with a promise yields a promise", async () => {
    const reply = invokeUnary(
      method("unary", async ({ text }) => ({ text })),
      request("a"),
      openContext(),
    );
    expect(isPromise(reply)).toBe(true);
    expect(await reply).toMatchObject({ $typeName: "manywire.test.v1.TestReply", text: "a" });
  });

  test("throws what its implementation throws", async () => {
    const fails = () => {
      throw new ConnectError("no", Code.Aborted);
    };
    expect(() => invokeUnary(method("unary", fails), request("a"), openContext())).toThrow("[aborted] no");
    const intercepted = invokeUnary(method("unary", fails, same), request("a"), openContext());
    expect((await failureOf(intercepted as Promise<unknown>)).code).toBe(Code.Aborted);
  });

  test("gets the very context, if no interceptor has changed the request", async () => {
    const seen: HandlerContext[] = [];
    const keep = (_: unknown, one: HandlerContext) => {
      seen.push(one);
      return {};
    };
    const contexts = [openContext(), openContext()] as const;
    await invokeUnary(method("unary", keep), request("a"), contexts[0]);
    await invokeUnary(method("unary", keep, same), request("a"), contexts[1]);
    expect([seen[0] === contexts[0], seen[1] === contexts[1]]).toEqual([true, true]);
  });

  test("gets headers, signal and values that an interceptor put instead of the request's", async () => {
    const key = createContextKey("none");
    const replacement = {
      header: new Headers({ "x-a": "2" }),
      signal: AbortSignal.abort("replaced"),
      contextValues: createContextValues().set(key, "replaced"),
    };
    const replace: Interceptor = (next) => (call) => next({ ...call, ...replacement });
    let seen: HandlerContext | undefined;
    const keep = (_: unknown, one: HandlerContext) => {
      seen = one;
      return {};
    };
    await invokeUnary(method("unary", keep, replace), request("a"), openContext());
    expect([seen?.requestHeader.get("x-a"), seen?.signal.reason, seen?.values.get(key)]).toEqual([
      "2",
      "replaced",
      "replaced",
    ]);
    expect([seen?.url, seen?.protocolName, seen?.timeoutMs()]).toEqual(["http://localhost/x", "grpc", undefined]);
  });

  test("sets headers and trailers that an interceptor can replace as a whole", async () => {
    const replace: Interceptor = (next) => async (call) => {
      const response = await next(call);
      return { ...response, header: new Headers({ "x-new": "1" }), trailer: new Headers({ "x-new": "2" }) };
    };
    const one = openContext();
    const sets = (_: unknown, { responseHeader, responseTrailer }: HandlerContext) => {
      responseHeader.set("x-old", "1");
      responseTrailer.set("x-old", "2");
      return {};
    };
    await invokeUnary(method("unary", sets, replace), request("a"), one);
    expect([[...one.responseHeader], [...one.responseTrailer]]).toEqual([[["x-new", "1"]], [["x-new", "2"]]]);
  });
});

describe("a streaming method", () => {
  const text = (reply: unknown) => (reply as TestReply).text;

  async function replies(of: StreamMethod, ...texts: string[]): Promise<string[]> {
    const { messages, end } = await invokeStream(of, each(...texts.map(request)), openContext());
    const all = await collect(messages);
    end();
    return all.map(text);
  }

  test("of any kind yields an iterable, with interceptors and without", async () => {
    for (const interceptors of [[], [same]]) {
      const server: TestServiceImpl["serverStream"] = async function* ({ text }) {
        yield { text };
        yield { text: `${text}!` };
      };
      expect(await replies(streamMethod("serverStream", server, ...interceptors), "a")).toEqual(["a", "a!"]);
      const client: TestServiceImpl["clientStream"] = async (requests) => {
        return { text: (await collect(requests)).map(({ text }) => text).join() };
      };
      expect(await replies(streamMethod("clientStream", client, ...interceptors), "a", "b")).toEqual(["a,b"]);
      const bidi: TestServiceImpl["bidiStream"] = async function* (requests) {
        for await (const { text } of requests) yield { text };
      };
      expect(await replies(streamMethod("bidiStream", bidi, ...interceptors), "a", "b")).toEqual(["a", "b"]);
    }
  });

  test("brings trailers that an interceptor replaced into the context after the last reply", async () => {
    const trailer = new Headers();
    const replace: Interceptor = (next) => async (call) => ({ ...(await next(call)), trailer });
    const one = openContext();
    const stream: TestServiceImpl["serverStream"] = async function* () {
      yield {};
      trailer.set("x-late", "1");
    };
    const { messages, end } = await invokeStream(
      streamMethod("serverStream", stream, replace),
      each(request("a")),
      one,
    );
    await collect(messages);
    expect([...one.responseTrailer]).toEqual([]);
    end();
    expect([...one.responseTrailer]).toEqual([["x-late", "1"]]);
  });
});

describe("a request that must have one message", () => {
  test("has it", async () => {
    expect(await takeSingle(each(request("a")), "unary")).toMatchObject({ text: "a" });
  });

  test("is unimplemented with none, or with two", async () => {
    const none = await failureOf(takeSingle(each<Message>(), "unary"));
    expect([none.code, none.rawMessage]).toEqual([
      Code.Unimplemented,
      "protocol error: missing input message for unary method",
    ]);
    const two = await failureOf(takeSingle(each(request("a"), request("b")), "server_streaming"));
    expect([two.code, two.rawMessage]).toEqual([
      Code.Unimplemented,
      "protocol error: received extra input message for server-streaming method",
    ]);
  });
});
