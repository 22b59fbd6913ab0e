// nice-grpc, the promises and iterables on top of grpc-js, calls us.
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type CallOptions,
  ChannelCredentials,
  type ClientMiddlewareCall,
  createChannel,
  createClientFactory,
  Metadata,
  type MethodDefinition,
  Status,
} from "nice-grpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { authority, clientIdentity } from "../../support/certificates.js";
import { startTargetForTest, type TargetOptions, targets } from "../../support/foreign-target.js";

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { input: I; output: O };

/** A method as nice-grpc describes it. */
function define<
  I extends DescMessage,
  O extends DescMessage,
  RequestStream extends boolean,
  ResponseStream extends boolean,
>(
  { parent, name, input, output }: Method<I, O>,
  requestStream: RequestStream,
  responseStream: ResponseStream,
): MethodDefinition<
  MessageInitShape<I>,
  MessageShape<I>,
  MessageInitShape<O>,
  MessageShape<O>,
  RequestStream,
  ResponseStream
> {
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: (message) => toBinary(input, create(input, message)),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (message) => toBinary(output, create(output, message)),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
    options: {},
  };
}

const definition = {
  sayHello: define(Greeter.method.sayHello, false, false),
  unary: define(TestService.method.unary, false, false),
  serverStream: define(TestService.method.serverStream, false, true),
  clientStream: define(TestService.method.clientStream, true, false),
  bidiStream: define(TestService.method.bidiStream, true, true),
  missing: define(TestService.method.missing, false, false),
} as const;

/** Adds metadata to every call. */
async function* addMetadata<Request, Response>(call: ClientMiddlewareCall<Request, Response>, options: CallOptions) {
  const metadata = Metadata(options.metadata).set("x-echo", "added");
  return yield* call.next(call.request, { ...options, metadata });
}

async function connect(options: TargetOptions) {
  const target = await startTargetForTest(options);
  const { key, cert } = clientIdentity;
  const credentials =
    options.security === "TLS"
      ? ChannelCredentials.createSsl(authority, key, cert)
      : ChannelCredentials.createInsecure();
  // Without a name Node warns that an IP address is none.
  const channel = createChannel(target.authority, credentials, { "grpc.ssl_target_name_override": "localhost" });
  onTestFinished(() => channel.close());
  const factory = createClientFactory();
  return {
    target,
    client: factory.create(definition, channel),
    adding: factory.use(addMetadata).create(definition, channel),
  };
}

type Client = Awaited<ReturnType<typeof connect>>["client"];
type Request = MessageInitShape<typeof TestService.method.unary.input>;

async function* each<T>(...values: T[]) {
  yield* values;
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

/** A call of each kind, with one request. */
const kinds: readonly ((client: Client, request: Request, options: CallOptions) => Promise<unknown>)[] = [
  (client, request, options) => client.unary(request, options),
  (client, request, options) => collect(client.serverStream(request, options)),
  (client, request, options) => client.clientStream(each(request), options),
  (client, request, options) => collect(client.bidiStream(each(request), options)),
];

describe.each(targets)("nice-grpc, %s", (_, options) => {
  it("calls every kind of method", async () => {
    const { client } = await connect(options);
    expect((await client.sayHello({ name: "you" })).message).toBe("Hello, you!");
    const data = Buffer.from([0, 1, 255]);
    expect(await client.unary({ text: "päth", data })).toMatchObject({ text: "päth", data });
    expect(await collect(client.serverStream({ count: 3 }))).toMatchObject([0, 1, 2].map((index) => ({ index })));
    const texts = ["a", "b", "ç"].map((text) => ({ text }));
    expect(await client.clientStream(each(...texts))).toMatchObject({ text: "a,b,ç", index: 3 });
    expect(await collect(client.bidiStream(each(...texts)))).toMatchObject(texts);
    expect(await collect(client.bidiStream(each()))).toEqual([]);
  });

  it("sends metadata and gets them back as header and trailer, text and bytes", async () => {
    const { client } = await connect(options);
    const bytes = Buffer.from([0, 255, 44, 10]);
    const metadata = Metadata({ "x-echo": "to and fro", "x-echo-bin": bytes, "x-echo-trailer": "end" });
    for (const call of kinds) {
      const found: Metadata[] = [];
      const keep = (received: Metadata) => void found.push(received);
      await call(client, { count: 1 }, { metadata, onHeader: keep, onTrailer: keep });
      const [header, trailer] = found;
      expect([header?.get("x-echo"), header?.get("x-echo-bin")]).toEqual(["to and fro", bytes]);
      expect(trailer?.get("x-echo-trailer")).toBe("end");
    }
  });

  it("adds metadata in a middleware", async () => {
    const { adding } = await connect(options);
    let header: Metadata | undefined;
    await adding.unary(
      {},
      {
        onHeader: (received) => {
          header = received;
        },
      },
    );
    expect(header?.get("x-echo")).toBe("added");
  });

  it("gets every code with its message, which may hold any character", async () => {
    const { client } = await connect(options);
    const message = "100 % sûr\nor 🙈";
    for (let code = 2; code <= 16; code++) {
      await expect(client.unary({ failure: { code, message } })).rejects.toMatchObject({ code, details: message });
    }
  });

  it("gets the details and the metadata of an error", async () => {
    const { client } = await connect(options);
    const failure = { code: Status.FAILED_PRECONDITION, message: "no", reason: "CLOSED" };
    const trailers: Metadata[] = [];
    const choices = {
      metadata: Metadata({ "x-fail-hint": "later" }),
      onTrailer: (found: Metadata) => void trailers.push(found),
    };
    for (const call of kinds) {
      await expect(call(client, { count: 1, failure }, choices)).rejects.toMatchObject({
        code: Status.FAILED_PRECONDITION,
        details: "no",
      });
    }
    expect(trailers.map((trailer) => trailer.get("hint"))).toEqual(Array(4).fill("later"));
    for (const trailer of trailers) {
      const bytes = trailer.get("grpc-status-details-bin") ?? new Uint8Array();
      expect(fromBinary(StatusSchema, bytes).details).toMatchObject([
        { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo" },
      ]);
    }
  });

  it("gets the replies that came before a stream's error", async () => {
    const { client } = await connect(options);
    const failure = { code: Status.ABORTED, message: "half", after: 2 };
    const replies = client.serverStream({ count: 5, failure })[Symbol.asyncIterator]();
    expect(await replies.next()).toMatchObject({ value: { index: 0 } });
    expect(await replies.next()).toMatchObject({ value: { index: 1 } });
    await expect(replies.next()).rejects.toMatchObject({ code: Status.ABORTED, details: "half" });
  });

  it("gets UNIMPLEMENTED for unknown methods", async () => {
    const { client } = await connect(options);
    await expect(client.missing({})).rejects.toMatchObject({ code: Status.UNIMPLEMENTED });
  });

  it("gets DEADLINE_EXCEEDED from the server", async () => {
    const { client } = await connect(options);
    const choices = { metadata: Metadata({ "grpc-timeout": "100m" }) };
    for (const call of kinds) {
      await expect(call(client, { count: 1, waitMs: 5000 }, choices)).rejects.toMatchObject({
        code: Status.DEADLINE_EXCEEDED,
      });
    }
  });

  it("cancels a call by its signal, and the handler learns it", async () => {
    const { target, client } = await connect(options);
    for (const [index, call] of kinds.entries()) {
      const abort = new AbortController();
      const text = `cancelled ${index}`;
      const request = { text, count: 1, waitMs: 10_000 };
      const cancelled = call(client, request, { signal: abort.signal });
      void target.seen.started(text).then(() => abort.abort());
      await expect(cancelled).rejects.toMatchObject({ name: "AbortError" });
      expect(await target.seen.ended(text)).toMatchObject({ kind: "threw" });
    }
  });

  it("cancels a stream, which aborts the handler's signal", async () => {
    const { target, client } = await connect(options);
    for await (const { index } of client.serverStream({ text: "left", count: 1_000_000, replyBytes: 1000 })) {
      if (index === 10) break;
    }
    expect(await target.seen.ended("left")).toMatchObject({ kind: expect.stringMatching("threw|left") });
  });
});
