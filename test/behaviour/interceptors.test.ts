import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";
import { expect } from "vitest";
import { TestReplySchema, TestRequestSchema } from "../gen/manywire/test/v1/test_pb.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { describeBehaviours } from "./table.js";
import { timeoutHeader } from "./wire.js";

/** Leaves its name in request and response headers and trailers, on the way in and on the way out. */
const tracer = (name: string): Interceptor => {
  return (next) => async (request) => {
    request.header.append("x-echo-way-in", name);
    const response = await next(request);
    response.header.append("x-way-out", name);
    response.trailer.append("x-way-out", name);
    return response;
  };
};

describeBehaviours(
  { interceptors: [tracer("outer"), tracer("inner")], serviceOptions: { interceptors: [tracer("service")] } },
  [
    {
      title: "the server's interceptors run around those of a service, the first outermost",
      async run({ prepare, send }) {
        const { headers } = await send(prepare("unary", [{}]));
        expect([headers["x-echo-way-in"], headers["x-way-out"]]).toEqual([
          "outer, inner, service",
          "service, inner, outer",
        ]);
      },
    },
    {
      title: "interceptors see a stream as one call",
      async run({ prepare, send, read }) {
        const answer = await send(prepare("serverStream", [{ count: 3 }]));
        expect(answer.headers["x-echo-way-in"]).toBe("outer, inner, service");
        const { replies, trailers } = read("serverStream", answer);
        expect(replies.length).toBe(3);
        expect(trailers["x-way-out"]).toBe("service, inner, outer");
      },
    },
    {
      title: "an error passes by interceptors that do not catch it",
      async run({ client }) {
        const failure = { code: Code.Aborted, message: "as it was" };
        expect(await failureOf(client.unary({ failure }))).toMatchObject({
          code: Code.Aborted,
          rawMessage: "as it was",
        });
      },
    },
  ],
);

const changer: Interceptor = (next) => async (request) => {
  if (request.stream) {
    const message = request.message as AsyncIterable<{ text: string }>;
    const response = await next({ ...request, message: shout(message) } as typeof request);
    if (!response.stream) return response;
    return { ...response, message: count(response.message) } as typeof response;
  }
  const response = await next({ ...request, message: create(TestRequestSchema, { text: "changed on the way in" }) });
  const { text } = response.message as { text?: string };
  return { ...response, message: create(TestReplySchema, { text: `${text} and out` }) } as typeof response;
};

async function* shout(messages: AsyncIterable<{ text: string }>) {
  for await (const message of messages) yield { ...message, text: message.text.toUpperCase() };
}

async function* count<T extends object>(messages: AsyncIterable<T>) {
  let seen = 0;
  for await (const message of messages) yield { ...message, index: 100 + seen++ };
}

describeBehaviours({ interceptors: [changer] }, [
  {
    title: "an interceptor may put other messages instead of a request and its reply",
    async run({ client, text }) {
      expect((await client.unary({ text })).text).toBe("changed on the way in and out");
    },
  },
  {
    title: "an interceptor may put other streams instead of requests and replies",
    async run({ client }) {
      const replies = await collect(client.serverStream({ text: "a", count: 2 }));
      expect(replies.map(({ text, index }) => [text, index])).toEqual([
        ["A", 100],
        ["A", 101],
      ]);
      expect(await client.clientStream(each({ text: "a" }, { text: "b" }))).toMatchObject({ text: "A,B", index: 100 });
    },
  },
]);

const refuser: Interceptor = (next) => async (request) => {
  const how = request.header.get("x-refuse");
  if (how === "before") throw new ConnectError("not in", Code.PermissionDenied, { "x-why": "before" });
  if (how === "accident") throw new Error("the secret of the interceptor");
  const response = await next(request);
  if (how === "after") throw new ConnectError("not out", Code.DataLoss);
  if (how === "during" && response.stream)
    return { ...response, message: breakOff(response.message) } as typeof response;
  return response;
};

async function* breakOff<T>(messages: AsyncIterable<T>) {
  for await (const message of messages) {
    yield message;
    throw new ConnectError("broken off", Code.Aborted);
  }
}

describeBehaviours({ interceptors: [refuser] }, [
  {
    title: "an interceptor may refuse a call before its handler is reached",
    async run({ client, server, text }) {
      const headers = { "x-refuse": "before" };
      for (const call of [
        () => client.unary({ text }, { headers }),
        () => collect(client.serverStream({ text }, { headers })),
      ]) {
        const { code, rawMessage, metadata } = await failureOf(call());
        expect([code, rawMessage, metadata.get("x-why")]).toEqual([Code.PermissionDenied, "not in", "before"]);
      }
      expect(server.seen.has(text)).toBe(false);
    },
  },
  {
    title: "an interceptor may reject the response of its handler",
    async run({ client, server, text }) {
      const headers = { "x-refuse": "after" };
      for (const call of [
        () => client.unary({ text }, { headers }),
        () => client.clientStream(each({ text }), { headers }),
      ]) {
        expect(await failureOf(call())).toMatchObject({ code: Code.DataLoss, rawMessage: "not out" });
      }
      expect(await server.seen.ended(text)).toEqual({ kind: "returned" });
    },
  },
  {
    title: "an interceptor may end a stream early, which closes the handler's iterator",
    async run({ client, server, text }) {
      const seen: number[] = [];
      const call = async () => {
        const replies = client.serverStream({ text, count: 5 }, { headers: { "x-refuse": "during" } });
        for await (const { index } of replies) seen.push(index);
      };
      expect(await failureOf(call())).toMatchObject({ code: Code.Aborted, rawMessage: "broken off" });
      expect(seen).toEqual([0]);
      expect((await server.seen.ended(text)).kind).toBe("left");
    },
  },
  {
    title: "an unexpected error of an interceptor does not reach the client",
    async run({ client, text }) {
      const { code, rawMessage } = await failureOf(client.unary({ text }, { headers: { "x-refuse": "accident" } }));
      expect([code, rawMessage]).toEqual([Code.Internal, "internal error"]);
    },
  },
]);

const caller = createContextKey("nobody");

const reader: Interceptor = (next) => async (request) => {
  request.contextValues.set(caller, `${request.contextValues.get(caller)} of ${request.header.get("x-of")}`);
  const { service, method, requestMethod, url } = request;
  const response = await next(request);
  response.header.set("x-request", `${requestMethod} ${new URL(url).pathname} ${service.typeName} ${method.name}`);
  return response;
};

describeBehaviours(
  {
    interceptors: [reader],
    implementation: {
      unary: (_, { values }) => ({ text: values.get(caller) }),
      async *serverStream(_, { values }) {
        yield { text: values.get(caller) };
      },
    },
  },
  [
    {
      title: "what an interceptor puts into context values reaches the handler",
      async run({ client }) {
        const options = { headers: { "x-of": "the east" } };
        expect((await client.unary({}, options)).text).toBe("nobody of the east");
        const [reply] = await collect(client.serverStream({}, options));
        expect(reply?.text).toBe("nobody of the east");
        expect((await client.unary({}, { headers: { "x-of": "the west" } })).text).toBe("nobody of the west");
      },
    },
    {
      title: "an interceptor knows which call it sees",
      async run({ prepare, send }) {
        const { headers, status } = await send(prepare("unary", [{}]));
        const path = "/manywire.test.v1.TestService/Unary";
        expect([status, headers["x-request"]]).toEqual([200, `POST ${path} manywire.test.v1.TestService Unary`]);
      },
    },
  ],
);

describeBehaviours(
  {
    interceptors: [
      (next) => (request) => {
        const signal = AbortSignal.any([request.signal, AbortSignal.timeout(20)]);
        return next({ ...request, signal });
      },
    ],
  },
  [
    {
      title: "an interceptor may put another signal instead of the call's",
      async run({ client, server, text }) {
        const { code } = await failureOf(client.unary({ text, waitMs: 30_000 }));
        expect(code).toBe(Code.Internal);
        expect(await server.seen.ended(text)).toMatchObject({ kind: "threw", reason: { name: "TimeoutError" } });
      },
    },
  ],
);

const caught: unknown[] = [];

/** Passes on whatever it catches, as an interceptor for logging may. */
const passingOn: Interceptor = (next) => async (request) => {
  const passOn = (reason: unknown): never => {
    const error = ConnectError.from(reason);
    caught.push([error.code, error.cause]);
    throw ConnectError.from(error.cause instanceof ConnectError ? error.cause : error);
  };
  async function* each<T>(messages: AsyncIterable<T>) {
    try {
      yield* messages;
    } catch (reason) {
      passOn(reason);
    }
  }
  try {
    const response = await next(request);
    return response.stream ? ({ ...response, message: each(response.message) } as typeof response) : response;
  } catch (reason) {
    return passOn(reason);
  }
};

const secret = new Error("hunter2");

/** Throws in the place that a request header names. */
const careless: Interceptor = (next) => async (request) => {
  const place = request.header.get("x-throw");
  async function* throwLate<T>(messages: AsyncIterable<T>) {
    yield* messages;
    throw secret;
  }
  if (place === "before") throw secret;
  const isRequests = place === "requests" && request.stream;
  const response = await next(
    isRequests ? ({ ...request, message: throwLate(request.message) } as typeof request) : request,
  );
  if (place === "after") throw secret;
  if (place === "replies" && response.stream) {
    return { ...response, message: throwLate(response.message) } as typeof response;
  }
  return response;
};

describeBehaviours(
  {
    interceptors: [passingOn, careless],
    implementation: {
      unary({ text }) {
        if (text === "throws") throw secret;
        return text === "rejects" ? Promise.reject(secret) : {};
      },
      async *serverStream({ text }) {
        yield {};
        if (text === "throws") throw secret;
      },
      async clientStream(requests) {
        try {
          await collect(requests);
        } catch (reason) {
          throw ConnectError.from(reason);
        }
        return {};
      },
    },
  },
  [
    {
      title: "an interceptor that passes on an unexpected error does not reveal its text, and gets it as cause",
      async run({ client, server }) {
        const at = (place: string) => ({ headers: { "x-throw": place } });
        const calls: [name: "unary" | "serverStream" | "clientStream", call: () => Promise<unknown>][] = [
          ["unary", () => client.unary({ text: "throws" })],
          ["unary", () => client.unary({ text: "rejects" })],
          ["unary", () => client.unary({}, at("before"))],
          ["unary", () => client.unary({}, at("after"))],
          ["serverStream", () => collect(client.serverStream({ text: "throws" }))],
          ["serverStream", () => collect(client.serverStream({}, at("before")))],
          ["serverStream", () => collect(client.serverStream({}, at("replies")))],
          ["clientStream", () => client.clientStream(each({}), at("requests"))],
        ];
        for (const [name, call] of calls) {
          caught.length = 0;
          const finished = server.nextFinished(name);
          const { code, rawMessage } = await failureOf(call());
          expect([code, rawMessage]).toEqual([Code.Internal, "internal error"]);
          expect(caught).toEqual([[Code.Internal, secret]]);
          expect((await finished).error?.cause).toBe(secret);
        }
      },
    },
  ],
);

const codesSeen = new Map<string | null, Code>();

describeBehaviours(
  {
    interceptors: [
      (next) => async (request) => {
        try {
          return await next(request);
        } catch (reason) {
          codesSeen.set(request.header.get("x-text"), ConnectError.from(reason).code);
          throw reason;
        }
      },
    ],
  },
  [
    {
      title: "an interceptor sees the deadline as the error of a handler that the signal has stopped",
      isSlow: true,
      async run({ client, wire, text }) {
        const headers = { ...timeoutHeader(wire, 250), "x-text": text };
        expect((await failureOf(client.unary({ text, waitMs: 30_000 }, { headers }))).code).toBe(Code.DeadlineExceeded);
        await expect.poll(() => codesSeen.get(text)).toBe(Code.DeadlineExceeded);
      },
    },
  ],
);
