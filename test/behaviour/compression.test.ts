import { expect } from "vitest";
import { Code, compressionBrotli, compressionGzip } from "../../client/index.js";
import { setCompression } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { SeenCalls } from "../support/seen-calls.js";
import type { TestServerOptions } from "../support/server.js";
import { createTestService, type TestServiceImpl } from "../support/service.js";
import type { Exception } from "./combinations.js";
import { type Behaviour, describeBehaviours, type Scene } from "./table.js";
import { encodingHeaders, wrapBody } from "./wire.js";

/** More than is compressed outside the thread pool. */
const data = new Uint8Array(40_000).fill(7);
const plainBody: Exception[] = [{ wire: "connect", reason: "a unary body has no flags" }];

function perEncoding(name: "gzip" | "br"): Behaviour[] {
  const compression = name === "gzip" ? compressionGzip : compressionBrotli;
  const options = { sendCompression: compression, acceptCompression: [compression] };
  return [
    {
      title: `a client that compresses with ${name} gets its message back`,
      async run({ connect }) {
        const reply = await connect(options).unary({ data });
        expect(Buffer.compare(reply.data, data)).toBe(0);
      },
    },
    {
      title: `streams are compressed with ${name} message by message`,
      async run({ connect }) {
        const client = connect(options);
        const replies = await collect(client.serverStream({ count: 3, replyBytes: 5000 }));
        expect(replies.map((reply) => reply.data.length)).toEqual([5000, 5000, 5000]);
        expect(await client.clientStream(each({ text: "a", data }, { text: "b", data }))).toMatchObject({
          text: "a,b",
        });
      },
    },
    {
      title: `a response is compressed with ${name} for a client that accepts it, if it is large enough`,
      async run({ prepare, send, read, wire }) {
        const { encoding, accept } = encodingHeaders(wire, TestService.method.unary);
        const headers = { [accept]: `deflate, ${name}, identity` };
        const large = await send(prepare("unary", [{ replyBytes: 5000 }], { headers }));
        expect(large.headers[encoding]).toBe(name);
        expect(large.body.length).toBeLessThan(1000);
        const outcome = read("unary", large);
        expect(outcome.compressed).toBe(1);
        expect(outcome.replies[0]?.data.length).toBe(5000);
        expect(read("unary", await send(prepare("unary", [{ replyBytes: 10 }], { headers }))).compressed).toBe(0);
      },
    },
    {
      title: `a request compressed with ${name} is read from a client that does not accept it`,
      async run({ prepare, send, read, wire, text }) {
        const { accept } = encodingHeaders(wire, TestService.method.unary);
        const headers = { [accept]: "identity" };
        const answer = await send(prepare("unary", [{ text, data }], { encoding: name, headers }));
        const { replies, compressed } = read("unary", answer);
        expect(replies).toMatchObject([{ text }]);
        expect(compressed).toBe(0);
      },
    },
  ];
}

describeBehaviours({ compressResponses: true }, [
  ...perEncoding("gzip"),
  ...perEncoding("br"),
  {
    title: "an error is compressed where the response would be, or not at all",
    async run({ connect }) {
      const client = connect({ acceptCompression: [compressionGzip] });
      const failure = { code: Code.Aborted, message: "m".repeat(3000) };
      expect((await failureOf(client.unary({ failure }))).rawMessage).toBe(failure.message);
      expect((await failureOf(collect(client.serverStream({ failure })))).rawMessage).toBe(failure.message);
    },
  },
  ...(["unary", "serverStream"] as const).map(
    (name): Behaviour => ({
      title: `a compression that the server does not know is unimplemented, and the response to ${name} names those it knows`,
      async run({ prepare, send, read, wire, server, text }) {
        const { encoding, accept } = encodingHeaders(wire, TestService.method[name]);
        const answer = await send(prepare(name, [{ text }], { headers: { [encoding]: "snappy" } }));
        const { code, message, trailers } = read(name, answer);
        expect([code, message]).toEqual([
          Code.Unimplemented,
          'unknown compression "snappy": supported encodings are gzip,br',
        ]);
        expect({ ...answer.headers, ...trailers }[accept]).toBe("gzip,br");
        expect(server.seen.has(text)).toBe(false);
      },
    }),
  ),
  {
    title: "the compression identity means none",
    async run({ prepare, send, read, wire, text }) {
      const { encoding, accept } = encodingHeaders(wire, TestService.method.unary);
      const headers = { [encoding]: "identity", [accept]: "identity" };
      const answer = await send(prepare("unary", [{ text, replyBytes: 5000 }], { headers }));
      expect(read("unary", answer)).toMatchObject({ compressed: 0, replies: [{ text }] });
    },
  },
  {
    title: "a message may stay as it is although its call names a compression",
    except: plainBody,
    async run({ prepare, send, read, wire, text }) {
      const { encoding } = encodingHeaders(wire, TestService.method.unary);
      const answer = await send(prepare("unary", [{ text }], { headers: { [encoding]: "gzip" } }));
      expect(read("unary", answer).replies).toMatchObject([{ text }]);
    },
  },
  {
    title: "a message of an unknown compression is an internal error",
    except: plainBody,
    async run({ prepare, send, read, wire }) {
      const { body: _, ...head } = prepare("unary", []);
      const body = wrapBody(wire, TestService.method.unary, [{ flags: 1, data: Buffer.from("??") }]);
      const { code, message } = read("unary", await send({ ...head, body }));
      expect([code, message]).toEqual([
        Code.Internal,
        "received compressed envelope, but do not know how to decompress",
      ]);
    },
  },
  {
    title: "a message that only pretends to be compressed is an invalid argument",
    async run({ prepare, send, read, wire }) {
      const { encoding } = encodingHeaders(wire, TestService.method.unary);
      const { body: _, ...head } = prepare("unary", [], { headers: { [encoding]: "gzip" } });
      const body = wrapBody(wire, TestService.method.unary, [{ flags: 1, data: Buffer.from("nothing zipped here") }]);
      const { code, message } = read("unary", await send({ ...head, body }));
      expect([code, message]).toEqual([Code.InvalidArgument, "decompression failed"]);
    },
  },
]);

describeBehaviours({ acceptCompression: [], compressMinBytes: 1, compressResponses: true }, [
  {
    title: "a server without compressions knows none",
    async run({ prepare, send, read, wire }) {
      const { encoding, accept } = encodingHeaders(wire, TestService.method.unary);
      const plain = await send(prepare("unary", [{ replyBytes: 5000 }], { headers: { [accept]: "gzip, br" } }));
      expect(read("unary", plain).compressed).toBe(0);
      const refused = await send(prepare("unary", [{}], { headers: { [encoding]: "gzip" } }));
      expect(read("unary", refused).code).toBe(Code.Unimplemented);
    },
  },
]);

/** How many of the messages of each kind of call are compressed for a client that accepts gzip, and the header that says so. */
async function compressedReplies({ prepare, send, read, wire }: Scene, bytes = 5000): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for (const name of ["unary", "serverStream"] as const) {
    const { encoding, accept } = encodingHeaders(wire, TestService.method[name]);
    const headers = { [accept]: "identity,deflate,gzip" };
    const answer = await send(prepare(name, [{ count: 2, replyBytes: bytes }], { headers }));
    const { code, compressed, replies } = read(name, answer);
    expect([code, replies.map(({ data }) => data.length)]).toEqual([
      undefined,
      name === "unary" ? [bytes] : [bytes, bytes],
    ]);
    found.push([compressed, String(answer.headers[encoding] ?? "none")]);
  }
  return found;
}

const all = [
  [1, "gzip"],
  [2, "gzip"],
];
const none = [
  [0, "none"],
  [0, "none"],
];

describeBehaviours({}, [
  {
    title: "responses to a client that accepts gzip are compressed, except over gRPC",
    async run(scene) {
      const isGrpc = scene.wire === "grpc";
      expect(await compressedReplies(scene)).toEqual(isGrpc ? none : all);
      expect((await compressedReplies(scene, 1000)).map(([messages]) => messages)).toEqual([0, 0]);
      // 1,400 bytes and the fields around them.
      expect(await compressedReplies(scene, 1400)).toEqual(isGrpc ? none : all);
    },
  },
  {
    title: "the response to a compressed request is compressed, except over gRPC",
    async run({ prepare, send, read, wire }) {
      const answer = await send(prepare("unary", [{ replyBytes: 5000 }], { encoding: "gzip" }));
      const { compressed, replies } = read("unary", answer);
      expect([compressed, replies[0]?.data.length]).toEqual([wire === "grpc" ? 0 : 1, 5000]);
    },
  },
]);

const readAccepted: Partial<TestServiceImpl> = {
  unary: ({ text }, { requestHeader }) => ({ text: requestHeader.get(text) ?? "none" }),
};

describeBehaviours({ implementation: readAccepted }, [
  {
    title: "a handler finds the header that lists what the client accepts as it was sent",
    async run({ prepare, send, read, wire }) {
      const { accept } = encodingHeaders(wire, TestService.method.unary);
      const headers = { [accept]: "identity,deflate,gzip" };
      const answer = await send(prepare("unary", [{ text: accept }], { headers }));
      expect(read("unary", answer).replies).toMatchObject([{ text: "identity,deflate,gzip" }]);
    },
  },
]);

const options: [title: string, options: TestServerOptions, expected: typeof all][] = [
  ["compressResponses: true is for every protocol", { compressResponses: true }, all],
  ["compressResponses: false is for every protocol", { compressResponses: false }, none],
  [
    "compressResponses of a service takes the place of the server's",
    { compressResponses: false, serviceOptions: { compressResponses: true } },
    all,
  ],
  [
    "compressResponses of a method takes the place of the server's",
    {
      compressResponses: true,
      routes(router) {
        const { unary, serverStream } = createTestService(new SeenCalls());
        router.rpc(TestService.method.unary, unary, { compressResponses: false });
        router.rpc(TestService.method.serverStream, serverStream, { compressResponses: false });
      },
    },
    none,
  ],
];

for (const [title, option, expected] of options) {
  describeBehaviours(option, [
    {
      title,
      async run(scene) {
        expect(await compressedReplies(scene)).toEqual(expected);
      },
    },
  ]);
}

const byHandler: Exception[] = [{ lane: "reference", reason: "Connect settles compression before the handler" }];

for (const isCompressed of [true, false]) {
  const { unary, serverStream } = createTestService(new SeenCalls());
  const implementation: Partial<TestServiceImpl> = {
    unary(request, context) {
      setCompression(context, isCompressed);
      // Headers of its own, too.
      context.responseHeader.set("x-own", "1");
      return unary(request, context);
    },
    async *serverStream(request, context) {
      setCompression(context, isCompressed);
      yield* serverStream(request, context);
      // Too late.
      setCompression(context, !isCompressed);
    },
  };
  describeBehaviours({ compressResponses: !isCompressed, implementation }, [
    {
      title: `a handler's setCompression(context, ${isCompressed}) takes the place of every option`,
      except: byHandler,
      async run(scene) {
        expect(await compressedReplies(scene)).toEqual(isCompressed ? all : none);
      },
    },
    {
      title: `an error after setCompression(context, ${isCompressed}) and a first message can be read`,
      except: byHandler,
      async run({ prepare, send, read, wire }) {
        const { accept } = encodingHeaders(wire, TestService.method.serverStream);
        const failure = { code: Code.Aborted, message: "m".repeat(3000), after: 1 };
        const headers = { [accept]: "gzip" };
        const answer = await send(prepare("serverStream", [{ count: 2, replyBytes: 5000, failure }], { headers }));
        const { code, message, compressed } = read("serverStream", answer);
        expect([code, message, compressed]).toEqual([Code.Aborted, failure.message, isCompressed ? 1 : 0]);
      },
    },
  ]);
}

const faults: [how: string, run: () => Promise<never>][] = [
  [
    "throws at once",
    () => {
      throw new Error("secret");
    },
  ],
  ["rejects", () => Promise.reject(new Error("secret"))],
  ["gives no bytes", async () => "secret" as never],
];

const cutByConnect: Exception[] = [{ lane: "reference", reason: "Connect breaks off what it cannot compress" }];

for (const [how, run] of faults) {
  const faulty = { name: "gzip", compress: run, decompress: run };
  describeBehaviours({ acceptCompression: [faulty], compressMinBytes: 1, compressResponses: true }, [
    {
      title: `a compression that ${how} ends a call with an internal error, and the observer gets the cause`,
      except: cutByConnect,
      async run({ prepare, send, read, wire, server }) {
        for (const name of ["unary", "serverStream", "clientStream"] as const) {
          const { accept } = encodingHeaders(wire, TestService.method[name]);
          const finished = server.nextFinished(name);
          const requests = [{ text: "a", count: 3, replyBytes: 10 }];
          const answer = await send(prepare(name, requests, { headers: { [accept]: "gzip" } }));
          const { code, message, replies } = read(name, answer);
          expect([code, message, replies]).toEqual([Code.Internal, "gzip compression failed", []]);
          const { error } = await finished;
          expect([error?.code, error?.cause instanceof Error]).toEqual([Code.Internal, true]);
        }
      },
    },
    {
      title: `an error is sent as it is where the compression ${how}`,
      except: cutByConnect,
      async run({ prepare, send, read, wire, server }) {
        for (const name of ["unary", "serverStream"] as const) {
          const { accept } = encodingHeaders(wire, TestService.method[name]);
          const finished = server.nextFinished(name);
          const failure = { code: Code.NotFound, message: "not here" };
          const answer = await send(prepare(name, [{ failure }], { headers: { [accept]: "gzip" } }));
          const { code, message } = read(name, answer);
          expect([code, message]).toEqual([Code.NotFound, "not here"]);
          const warnings = wire === "grpc" ? [] : ["error not compressed: gzip compression failed"];
          expect((await finished).warnings.map((warning) => warning.replace("[internal] ", ""))).toEqual(warnings);
        }
      },
    },
    {
      title: `the end of a stream that cannot be compressed because the compression ${how} is an internal error`,
      except: [...cutByConnect, { wire: "grpc", reason: "its end is not compressed" }],
      async run({ prepare, send, read, wire }) {
        const { accept } = encodingHeaders(wire, TestService.method.serverStream);
        const answer = await send(prepare("serverStream", [{}], { headers: { [accept]: "gzip" } }));
        expect(read("serverStream", answer).code).toBe(Code.Internal);
      },
    },
    {
      title: `a decompression that ${how} ends a call with an internal error`,
      async run({ prepare, send, read, wire, server }) {
        for (const name of ["unary", "serverStream", "clientStream"] as const) {
          const headers = { [encodingHeaders(wire, TestService.method[name]).accept]: "identity" };
          const finished = server.nextFinished(name);
          const answer = await send(prepare(name, [{ text: "a", data }], { encoding: "gzip", headers }));
          const { code, message } = read(name, answer);
          expect([code, message]).toEqual([Code.Internal, "gzip decompression failed"]);
          expect((await finished).code).toBe(Code.Internal);
        }
      },
    },
  ]);
}
