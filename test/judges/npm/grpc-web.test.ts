// Google's grpc-web client calls us, over HTTP/1.1, with an XMLHttpRequest for Node instead of the browser's.
import { Agent } from "node:https";
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { GrpcWebClientBase, type Metadata, MethodDescriptor, type RpcError, type Status, StatusCode } from "grpc-web";
import { beforeAll, describe, expect, it } from "vitest";
import XMLHttpRequest from "xhr2";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { authority } from "../../support/certificates.js";
import { startTargetForTest, type Target, targets } from "../../support/foreign-target.js";

const { unary, serverStream, missing } = TestService.method;
const { sayHello, sayHelloAgain } = Greeter.method;

beforeAll(() => {
  XMLHttpRequest.nodejsSet({ httpsAgent: new Agent({ ca: authority }) });
  Object.assign(globalThis, { XMLHttpRequest });
});

const formats = ["text", "binary"] as const;
const combinations = targets.flatMap(([name, options]) =>
  formats.map((format) => [`${name}, ${format}`, { options, format }] as const),
);

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { input: I; output: O };

/** Everything that a call told. */
interface Answer<O extends DescMessage> {
  replies: MessageShape<O>[];
  header: Metadata;
  /** The last one: of some errors there are two, the second without the trailers. */
  status: Status | undefined;
  error: RpcError | undefined;
}

/** What protoc-gen-grpc-web would generate. */
function describeMethod<I extends DescMessage, O extends DescMessage>({
  parent,
  name,
  methodKind,
  input,
  output,
}: Method<I, O>): MethodDescriptor<MessageShape<I>, MessageShape<O>> {
  return new MethodDescriptor<MessageShape<I>, MessageShape<O>>(
    `/${parent.typeName}/${name}`,
    methodKind,
    Object as never,
    Object as never,
    (message: MessageShape<I>) => toBinary(input, message),
    (bytes: Uint8Array) => fromBinary(output, bytes),
  );
}

/** Resolves when the call has ended, with an error too; never if it was cancelled. */
function call<I extends DescMessage, O extends DescMessage>(
  { url }: Target,
  format: string,
  method: Method<I, O>,
  request: MessageInitShape<I>,
  { metadata = {}, cancelWhen }: { metadata?: Metadata; cancelWhen?: Promise<unknown> } = {},
): Promise<Answer<O>> {
  const client = new GrpcWebClientBase({ format });
  const descriptor = describeMethod(method);
  const answer: Answer<O> = { replies: [], header: {}, status: undefined, error: undefined };
  return new Promise((resolve) => {
    const message = create(method.input, request);
    const stream = client.serverStreaming(`${url}${descriptor.getName()}`, message, metadata, descriptor);
    void cancelWhen?.then(() => stream.cancel());
    stream.on("data", (reply) => answer.replies.push(reply));
    stream.on("metadata", (header) => Object.assign(answer.header, header));
    stream.on("status", (status) => {
      answer.status ??= status;
    });
    stream.on("error", (error) => {
      answer.error ??= error;
      resolve(answer);
    });
    stream.on("end", () => resolve(answer));
  });
}

describe.each(combinations)("grpc-web, %s", (_, { options, format }) => {
  it("says hello, as promise and as callback", async () => {
    const { url } = await startTargetForTest(options);
    const client = new GrpcWebClientBase({ format });
    const you = create(sayHello.input, { name: "you" });
    const again = describeMethod(sayHelloAgain);
    const reply = client.unaryCall(`${url}${again.getName()}`, you, {}, again);
    expect((await reply).message).toBe("Hello, you Again!");
    const hello = describeMethod(sayHello);
    const message = new Promise((resolve, reject) => {
      client.rpcCall(`${url}${hello.getName()}`, you, {}, hello, (error, response) =>
        error === null ? resolve(response.message) : reject(error),
      );
    });
    expect(await message).toBe("Hello, you!");
  });

  it("gets messages of every length whole", async () => {
    const target = await startTargetForTest(options);
    for (const length of [0, 1, 2, 3, 4, 5, 1000, 300_000]) {
      const data = Uint8Array.from({ length }, (_, index) => index);
      const { replies, status } = await call(target, format, unary, { data });
      expect(replies.map((reply) => Buffer.compare(reply.data, data))).toEqual([0]);
      expect(status?.code).toBe(StatusCode.OK);
    }
  });

  it("gets a server's stream, and its status", async () => {
    const target = await startTargetForTest(options);
    const answer = await call(target, format, serverStream, { text: "ä", count: 3, waitMs: 5 });
    expect(answer.replies).toMatchObject([0, 1, 2].map((index) => ({ text: "ä", index })));
    expect(answer).toMatchObject({ status: { code: StatusCode.OK }, error: undefined });
    expect(await call(target, format, serverStream, { count: 0 })).toMatchObject({ replies: [], error: undefined });
  });

  it("sends metadata and gets them back as header and trailer", async () => {
    const target = await startTargetForTest(options);
    const metadata = { "x-echo": "to and fro", "x-echo-bin": "AP8", "x-echo-trailer": "end" };
    for (const method of [unary, serverStream]) {
      const { header, status } = await call(target, format, method, { count: 1 }, { metadata });
      expect(header).toMatchObject({ "x-echo": "to and fro", "x-echo-bin": "AP8" });
      expect(status?.metadata).toMatchObject({ "x-echo-trailer": "end" });
    }
  });

  it("gets an error with its message, details and metadata", async () => {
    const target = await startTargetForTest(options);
    const failure = { code: StatusCode.NOT_FOUND, message: "100 % gone: ä", reason: "GONE" };
    for (const method of [unary, serverStream]) {
      const metadata = { "x-fail-hint": "later" };
      const { error, status } = await call(target, format, method, { count: 1, failure }, { metadata });
      expect(error).toMatchObject({
        code: StatusCode.NOT_FOUND,
        message: "100 % gone: ä",
        metadata: { hint: "later" },
      });
      const details = fromBinary(StatusSchema, base64Decode(status?.metadata?.["grpc-status-details-bin"] ?? ""));
      expect(details.details).toMatchObject([{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo" }]);
    }
  });

  it("gets the replies that came before a stream's error", async () => {
    const target = await startTargetForTest(options);
    const failure = { code: StatusCode.ABORTED, message: "half", after: 2 };
    const answer = await call(target, format, serverStream, { count: 5, failure });
    expect(answer).toMatchObject({ replies: [{}, {}], error: { code: StatusCode.ABORTED, message: "half" } });
  });

  it("gets UNIMPLEMENTED for unknown methods", async () => {
    const target = await startTargetForTest(options);
    for (const method of [missing, { ...unary, name: "Nothing" }]) {
      expect((await call(target, format, method, {})).error?.code).toBe(StatusCode.UNIMPLEMENTED);
    }
  });

  it("ends a call at its deadline", async () => {
    const target = await startTargetForTest(options);
    const metadata = { deadline: String(Date.now() + 200) };
    const { error } = await call(target, format, unary, { waitMs: 5000 }, { metadata });
    expect(error?.code).toBe(StatusCode.DEADLINE_EXCEEDED);
  });

  it("cancels a call, and its handler learns it", async () => {
    const target = await startTargetForTest(options);
    for (const method of [unary, serverStream]) {
      const request = { text: method.name, count: 1, waitMs: 10_000 };
      void call(target, format, method, request, { cancelWhen: target.seen.started(method.name) });
      expect(await target.seen.ended(method.name)).toMatchObject({ kind: "threw" });
    }
  });

  it("is refused a message over 4 MiB", async () => {
    const target = await startTargetForTest(options);
    const { error } = await call(target, format, unary, { data: new Uint8Array(4 * 1024 * 1024) });
    expect(error?.code).toBe(StatusCode.RESOURCE_EXHAUSTED);
  });
});
