import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { create, type Message, toBinary } from "@bufbuild/protobuf";
import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { runCommand } from "../../../client/command.js";
import { Code, ConnectError, createClient, createTransport, type TransportOptions } from "../../../client/index.js";
import { createRestMethods, openRequestStream } from "../../../client/rest-method.js";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { ownJson } from "../../../server/codec/json.js";
import type { RequestInfo } from "../../../server/http/exchange.js";
import { EverythingSchema, NodeSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { messageOf } from "../../support/arbitrary-message.js";
import { collect, each, failureOf } from "../../support/outcome.js";
import { bindingOf } from "../../support/rest-bindings.js";
import { type RestServiceImpl, startRestServer, versions } from "../../support/rest-service.js";
import type { TestServerOptions } from "../../support/server.js";

async function connect(
  transportOptions: Partial<TransportOptions> = {},
  implementation: RestServiceImpl = {},
  serverOptions: TestServerOptions = {},
) {
  const server = await startRestServer(implementation, serverOptions);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const transport = createTransport({ protocol: "rest", baseUrl: server.url, ...transportOptions });
  onTestFinished(() => transport.close());
  return { server, transport, client: createClient(RestService, transport) };
}

describe.each(versions)("a transport over REST by HTTP/%s", (httpVersion) => {
  it("calls unary methods by their routes", async () => {
    const { client, server } = await connect({ httpVersion });
    expect((await client.query({ text: "a", node: { number: 7 } })).node?.number).toBe(7);
    expect((await client.whole({ text: "a/b", words: ["c"] })).words).toEqual(["c"]);
    expect((await client.field({ node: { text: "shelves/1/books/2", number: 3 } })).node).toMatchObject({ number: 3 });
    expect((await client.template({ name: "projects/p/databases/d/documents/x", collection: "c" })).collection).toBe(
      "c",
    );
    expect((await client.custom({ name: "n" })).name).toBe("n");
    const raw = await client.raw({ contentType: "image/x-own", data: new Uint8Array([0, 255]) });
    expect([raw.contentType, [...raw.data]]).toEqual(["image/x-own", [0, 255]]);
    const file = await client.file({ name: "a/b", content: { contentType: "text/plain", data: Buffer.from("f") } });
    expect([file.content?.contentType, Buffer.from(file.content?.data ?? []).toString()]).toEqual(["text/plain", "f"]);
    expect(new Set(server.finished.map(({ protocol }) => protocol))).toEqual(new Set(["rest"]));
  });

  it("reads server streams as they come", async () => {
    const { client } = await connect({ httpVersion });
    const replies = await collect(client.serverStream({ text: "s", number: 3n }));
    expect(replies.map(({ text, number }) => [text, number])).toEqual([
      ["s", 0n],
      ["s", 1n],
      ["s", 2n],
    ]);
    const array = client.serverStream({ text: "s", number: 2n }, { headers: { accept: "application/json" } });
    expect(await collect(array)).toHaveLength(2);
    const pieces = await collect(client.download({ name: "a/b" }));
    expect(Buffer.concat(pieces.map(({ data }) => data)).toString()).toBe("ab");
    expect(pieces[0]?.contentType).toBe("text/plain");
  });

  it("sends client streams, by the route that the first message fits", async () => {
    const { client } = await connect({ httpVersion });
    expect((await client.clientStream(each({ text: "a" }, { text: "b" }))).words).toEqual(["a", "b"]);
    expect((await client.clientStream(each())).words).toEqual([]);
  });

  it("gets errors with code, message, details and metadata", async () => {
    const details = [
      { desc: ErrorInfoSchema, value: { reason: "R" } },
      { desc: NodeSchema, value: { text: "n" } },
    ];
    const fail = () => {
      throw new ConnectError("no", Code.AlreadyExists, { "x-meta": "m" }, details);
    };
    const { client } = await connect({ httpVersion }, { query: fail });
    const error = await failureOf(client.query({}));
    expect([error.code, error.rawMessage, error.metadata.get("x-meta")]).toEqual([Code.AlreadyExists, "no", "m"]);
    expect(error.findDetails(ErrorInfoSchema).map(({ reason }) => reason)).toEqual(["R"]);
    expect(error.findDetails(NodeSchema).map(({ text }) => text)).toEqual(["n"]);
  });

  it.each([undefined, "application/json"])("gets errors of streams, early and late (Accept: %s)", async (accept) => {
    const implementation: RestServiceImpl = {
      async *serverStream({ number }) {
        for (let index = 0n; index < number; index++) yield {};
        throw new ConnectError("no more", Code.NotFound);
      },
    };
    const { client } = await connect({ httpVersion }, implementation);
    const options = accept === undefined ? {} : { headers: { accept } };
    for (const number of [0n, 2n]) {
      let count = 0n;
      const read = async () => {
        for await (const _ of client.serverStream({ text: "a", number }, options)) count++;
      };
      const error = await failureOf(read());
      expect([error.code, error.rawMessage, count]).toEqual([Code.NotFound, "no more", number]);
    }
  });

  it("lets interceptors see and change calls, and returns headers and trailers", async () => {
    const seen: unknown[] = [];
    const { client } = await connect(
      {
        httpVersion,
        interceptors: [
          (next) => async (request) => {
            seen.push(request.stream, request.method.name, new URL(request.url).pathname);
            request.header.set("x-there", "t");
            const response = await next(request);
            seen.push(response.header.get("x-back"), response.trailer.get("x-last"));
            return response;
          },
        ],
      },
      {
        query: (message, { requestHeader, responseHeader, responseTrailer }) => {
          responseHeader.set("x-back", requestHeader.get("x-there") ?? "");
          responseTrailer.set("x-last", "l");
          return message;
        },
      },
    );
    await client.query({});
    expect(seen).toEqual([false, "Query", "/manywire.test.rest.v1.RestService/Query", "t", "l"]);
  });

  it("asks for trailers, and has them of every kind of call, and of errors", async () => {
    const mark = ({ responseTrailer }: HandlerContext) => responseTrailer.set("x-last", "l");
    async function* reply<T>(message: T, context: HandlerContext) {
      mark(context);
      yield message;
    }
    const { client, server } = await connect(
      { httpVersion },
      {
        query: (message, context) => {
          mark(context);
          if (message.text === "fail") throw new ConnectError("no", Code.NotFound);
          return message;
        },
        raw: (message, context) => {
          mark(context);
          return message;
        },
        serverStream: reply,
        download: (_, context) => reply({ contentType: "text/plain", data: Buffer.from("d") }, context),
        clientStream: async (messages, context) => {
          mark(context);
          await collect(messages);
          return {};
        },
        async *bidiStream(messages, context) {
          mark(context);
          yield* messages;
        },
      },
    );
    const seen: (string | null)[] = [];
    const options = { onTrailer: (trailer: Headers) => void seen.push(trailer.get("x-last")) };
    const calls = [
      () => client.query({}, options),
      () => client.query({ text: "a".repeat(10_000) }, options),
      () => client.raw({ contentType: "a/b", data: new Uint8Array(10) }, options),
      () => collect(client.serverStream({ text: "s" }, options)),
      () => collect(client.serverStream({ text: "s" }, { ...options, headers: { accept: "application/json" } })),
      () => collect(client.download({ name: "a" }, options)),
      () => client.clientStream(each({ text: "a" }), options),
      ...(httpVersion === "2" ? [() => collect(client.bidiStream(each({ text: "a" }), options))] : []),
    ];
    for (const call of calls) await call();
    expect(seen).toEqual(calls.map(() => "l"));
    const error = await failureOf(client.query({ text: "fail" }));
    expect(error.metadata.get("x-last")).toBe("l");
    // One connection: asking for trailers does not close it.
    expect(server.sockets.size).toBe(1);
  });

  it("names TE beside the caller's own connection options, and not instead of the caller's own TE", async () => {
    const seen: unknown[] = [];
    const server = http.createServer((request, response) => {
      seen.push([request.headers.te, request.headers.connection]);
      response.end("{}");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    using transport = createTransport({ protocol: "rest", httpVersion: "1.1", baseUrl });
    const client = createClient(RestService, transport);
    for (const headers of [{}, { connection: "close" }, { te: "gzip" }]) await client.query({}, { headers });
    expect(seen).toEqual([
      ["trailers", "TE"],
      ["trailers", "close, TE"],
      ["gzip", "TE"],
    ]);
  });

  it("ends calls by deadline and by signal, and sends the deadline to the server", async () => {
    const timeouts: (number | undefined)[] = [];
    const wait = (_: unknown, { timeoutMs }: { timeoutMs(): number | undefined }) => {
      timeouts.push(timeoutMs());
      return new Promise<never>(() => {});
    };
    const { client, server } = await connect({ httpVersion, defaultTimeoutMs: 400 }, { query: wait });
    expect((await failureOf(client.query({}))).code).toBe(Code.DeadlineExceeded);
    expect(timeouts[0]).toBeLessThanOrEqual(400);
    const controller = new AbortController();
    const call = failureOf(client.query({}, { signal: controller.signal, timeoutMs: 10_000 }));
    while (timeouts.length < 2) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect((await call).code).toBe(Code.Canceled);
    while (server.finished.length < 2) await new Promise((resolve) => setImmediate(resolve));
  });

  it("refuses replies over its limit, compressed or not", async () => {
    const { client } = await connect({ httpVersion, readMaxBytes: 1000 });
    expect((await failureOf(client.raw({ data: new Uint8Array(2000) }))).code).toBe(Code.ResourceExhausted);
    expect((await failureOf(client.whole({ text: "a".repeat(2000) }))).code).toBe(Code.ResourceExhausted);
    const stream = collect(client.serverStream({ text: "a".repeat(2000), number: 1n }));
    expect((await failureOf(stream)).code).toBe(Code.ResourceExhausted);
  });
});

it("says what it wants, and until when", async () => {
  const names = ["accept", "content-type", "accept-encoding", "x-server-timeout", "grpc-timeout"];
  const seen: unknown[] = [];
  const contextValues = ({ headers }: RequestInfo) => {
    seen.push(names.map((name) => headers[name]));
    return createContextValues();
  };
  const { client } = await connect({}, {}, { contextValues });
  await client.query({}, { timeoutMs: 1500 });
  await collect(client.serverStream({ text: "a" }));
  await client.clientStream(each());
  expect(seen).toEqual([
    ["application/json", undefined, "gzip, br", "1.5", "1500m"],
    ["application/x-ndjson, application/json;q=0.9", undefined, undefined, undefined, undefined],
    ["application/json", "application/x-ndjson", undefined, undefined, undefined],
  ]);
});

it("refuses a reply that is not compressed and over the limit", async () => {
  const { client } = await connect({ readMaxBytes: 1000, acceptCompression: [] });
  const error = await failureOf(client.raw({ data: new Uint8Array(2000) }));
  expect([error.code, error.rawMessage]).toEqual([
    Code.ResourceExhausted,
    "message size is larger than configured readMaxBytes 1000",
  ]);
});

it("refuses to send a message of a stream to where the others do not go", async () => {
  const { clientStream } = RestService.method;
  const byText = bindingOf('ClientStream: google.api.http post "/v1/client-stream/{text}"');
  const method = createRestMethods(ownJson)(clientStream);
  const send = async (...texts: string[]) => {
    const messages = each(...texts.map((text) => create(EverythingSchema, { text, node: { text: "n" } })));
    const { body, first } = await openRequestStream(
      { ...method, encode: method.encoderOf(byText) },
      messages,
      create(EverythingSchema),
    );
    const pieces = await collect(body);
    return [first.path, Buffer.concat(pieces).toString()];
  };
  expect(await send("a", "a")).toEqual(["/v1/client-stream/a", '{"text":"n"}\n{"text":"n"}\n']);
  expect((await failureOf(send("a", "b"))).rawMessage).toBe(
    "expected every message of the stream to belong to /v1/client-stream/a, found /v1/client-stream/b",
  );
});

it("sends and gets both directions at once over HTTP/2", async () => {
  const { client } = await connect({ httpVersion: "2" });
  const replies = await collect(client.bidiStream(each({ text: "a" }, { text: "b" })));
  expect(replies.map(({ text }) => text)).toEqual(["a", "b"]);
});

it("fails over HTTP/1.1: both directions at once need HTTP/2", async () => {
  const { client } = await connect({ httpVersion: "1.1" });
  const error = await failureOf(collect(client.bidiStream(each({ text: "a" }))));
  expect([error.code, error.rawMessage]).toEqual([Code.Unimplemented, "bidirectional streams need HTTP/2"]);
});

it("says why a method cannot be called", async () => {
  const { client } = await connect();
  const unrouted = await failureOf(client.unrouted({}));
  expect([unrouted.code, unrouted.rawMessage]).toEqual([
    Code.Unimplemented,
    "manywire.test.rest.v1.RestService.Unrouted: expected a google.api.http route",
  ]);
  const unfit = await failureOf(client.download({ name: ".." })[Symbol.asyncIterator]().next());
  expect(unfit.code).toBe(Code.InvalidArgument);
});

it("takes the routes of a service configuration, as the server does", async () => {
  const service = RestService.typeName;
  const rules = [
    { selector: `${service}.Unrouted`, get: "/v2/unrouted/{name}" },
    { selector: `${service}.Template`, post: "/v2/{name=**}/of", body: "collection" },
  ];
  const httpRules = { type: "google.api.Service", http: { rules } };
  const elsewhere = { rules: [...rules, { selector: "other.Service.Method", get: "/v2/other" }] };
  const seen: string[] = [];
  const unrouted: RestServiceImpl["unrouted"] = (message, { url }) => {
    seen.push(new URL(url).pathname);
    return message;
  };
  const { client } = await connect({ httpRules: elsewhere }, { unrouted }, { httpRules });
  expect((await client.unrouted({ name: "a b" })).name).toBe("a b");
  expect(seen).toEqual(["/v2/unrouted/a%20b"]);
  expect(await client.template({ name: "a/b", collection: "c" })).toMatchObject({ name: "a/b", collection: "c" });
  expect((await client.query({ text: "as annotated" })).text).toBe("as annotated");
});

it("refuses rules that cannot be read", () => {
  const httpRules = { rules: [{ selector: "a.B.C", gett: "/" }] };
  expect(() => createTransport({ protocol: "rest", baseUrl: "http://localhost", httpRules })).toThrow(
    "a.B.C: http rule 1: gett: google.api.HttpRule has no such field",
  );
});

it("puts routes under the path of its base URL", async () => {
  const { server } = await connect();
  const transport = createTransport({ protocol: "rest", baseUrl: `${server.url}/v0/` });
  onTestFinished(() => transport.close());
  const error = await failureOf(createClient(RestService, transport).query({}));
  expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "nothing is served at /v0/v1/query"]);
});

it("calls the Greeter", async () => {
  const { transport, server } = await connect(
    {},
    {},
    {
      routes: (router) =>
        router.service(Greeter, {
          sayHello: ({ name }) => ({ message: `Hello, ${name}!` }),
          sayHelloAgain: ({ name }) => ({ message: `Hello, ${name} Again!` }),
        }),
    },
  );
  const greeter = createClient(Greeter, transport);
  expect((await greeter.sayHello({ name: "you" })).message).toBe("Hello, you!");
  expect((await greeter.sayHelloAgain({ name: "a/b ?" })).message).toBe("Hello, a/b ? Again!");
  const lines: string[] = [];
  const streams = {
    stdout: { write: (text: string) => lines.push(text) },
    stderr: { write: (text: string) => lines.push(text) },
  };
  expect(await runCommand(["--protocol", "rest", "--url", server.url], streams)).toBe(0);
  expect(lines).toEqual(["SayHello received: Hello, you!\n", "SayHelloAgain received: Hello, you Again!\n"]);
});

it("brings random messages there and back unchanged", async () => {
  const { client } = await connect();
  const bytes = (message: Message) => Buffer.from(toBinary(EverythingSchema, message as never)).toString("hex");
  let sent = 0;
  const check = async (call: (message: never) => Promise<Message>, message: Message) => {
    const reply = await call(message as never).catch((error: ConnectError) => error);
    // Not every message fits in a path or a query, which the client itself says.
    if (reply instanceof ConnectError && reply.rawMessage.startsWith("no route can carry")) return;
    if (reply instanceof Error) throw reply;
    sent += 1;
    expect(bytes(reply)).toBe(bytes(message));
  };
  await fc.assert(
    fc.asyncProperty(messageOf(EverythingSchema), async (message) => {
      await check((one) => client.whole(one), message);
      await check((one) => client.query(one), message);
      await check(async (one) => (await collect(client.bidiStream(each(one))))[0] as Message, message);
    }),
    { numRuns: 150 },
  );
  expect(sent).toBeGreaterThan(290);
});
