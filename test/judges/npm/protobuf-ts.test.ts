// protobuf-ts calls us by its transport for gRPC-Web, on fetch, in both formats. In plaintext only: Node's fetch cannot be
// told of an authority.

import { fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { GrpcWebFetchTransport } from "@protobuf-ts/grpcweb-transport";
import { MessageType, ScalarType } from "@protobuf-ts/runtime";
import {
  type MethodInfo,
  RpcError,
  type RpcMetadata,
  type RpcOptions,
  type ServiceInfo,
} from "@protobuf-ts/runtime-rpc";
import { describe, expect, it } from "vitest";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { startTargetForTest, type Target } from "../../support/foreign-target.js";

interface Failure {
  code: number;
  message: string;
  reason: string;
  after: number;
}

interface Request {
  text: string;
  data: Uint8Array;
  count: number;
  waitMs: number;
  ignoreSignal: boolean;
  replyBytes: number;
  failure?: Failure;
}

interface Reply {
  text: string;
  data: Uint8Array;
  index: number;
}

const { BOOL, BYTES, INT32, STRING, UINT32 } = ScalarType;

/** What its generator would write: the fields in their order in the proto file, numbered from 1. */
function describeMessage<T extends object>(
  name: string,
  fields: Record<keyof T & string, ScalarType | MessageType<Failure>>,
) {
  return new MessageType<T>(
    `manywire.test.v1.${name}`,
    Object.entries<ScalarType | MessageType<Failure>>(fields).map(([localName, T], index) => {
      const place = { no: index + 1, name: localName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) };
      return typeof T === "number" ? { ...place, kind: "scalar", T } : { ...place, kind: "message", T: () => T };
    }),
  );
}

const FailureType = describeMessage<Failure>("Failure", {
  code: INT32,
  message: STRING,
  reason: STRING,
  after: UINT32,
});
const RequestType = describeMessage<Required<Request>>("TestRequest", {
  text: STRING,
  data: BYTES,
  count: UINT32,
  waitMs: UINT32,
  ignoreSignal: BOOL,
  replyBytes: UINT32,
  failure: FailureType,
}) as MessageType<Request>;
const ReplyType = describeMessage<Reply>("TestReply", { text: STRING, data: BYTES, index: UINT32 });

const service: ServiceInfo = { typeName: "manywire.test.v1.TestService", methods: [], options: {} };

function describeMethod(name: string, serverStreaming = false): MethodInfo<Request, Reply> {
  const kind = { serverStreaming, clientStreaming: false, idempotency: undefined, options: {} };
  return { service, name, localName: name, I: RequestType, O: ReplyType, ...kind };
}

interface Answer {
  replies: Reply[];
  header: RpcMetadata;
  trailer: RpcMetadata;
}

interface Client {
  target: Target;
  unary(request: Partial<Request>, options?: RpcOptions, name?: string): Promise<Answer>;
  serverStream(request: Partial<Request>, options?: RpcOptions): Promise<Answer>;
}

describe.each(
  (["fast", "reference"] as const).flatMap((lane) =>
    (["text", "binary"] as const).map((format) => [lane, format] as const),
  ),
)("protobuf-ts, %s lane, %s", (lane, format) => {
  async function connect(): Promise<Client> {
    const target = await startTargetForTest({ lane, security: "plaintext" });
    const transport = new GrpcWebFetchTransport({ baseUrl: target.url, format });
    return {
      target,
      async unary(request, options = {}, name = "Unary") {
        const input = RequestType.create(request);
        const call = await transport.unary(describeMethod(name), input, transport.mergeOptions(options));
        return { replies: [call.response], header: call.headers, trailer: call.trailers };
      },
      async serverStream(request, options = {}) {
        const input = RequestType.create(request);
        const method = describeMethod("ServerStream", true);
        const call = transport.serverStreaming(method, input, transport.mergeOptions(options));
        const replies: Reply[] = [];
        for await (const reply of call.responses) replies.push(reply);
        return { replies, header: await call.headers, trailer: await call.trailers };
      },
    };
  }

  it("gets messages of every length whole", async () => {
    const { unary } = await connect();
    for (const length of [0, 1, 2, 3, 4, 5, 1000, 300_000]) {
      const data = Uint8Array.from({ length }, (_, index) => index);
      const { replies } = await unary({ text: "päth 🙈", data });
      expect(replies[0]?.text).toBe("päth 🙈");
      expect(Buffer.compare(replies[0]?.data ?? new Uint8Array(1), data)).toBe(0);
    }
  });

  it("gets a server's stream", async () => {
    const { serverStream } = await connect();
    const { replies } = await serverStream({ text: "ä", count: 3, waitMs: 5 });
    expect(replies).toMatchObject([0, 1, 2].map((index) => ({ text: "ä", index })));
    expect((await serverStream({ count: 0 })).replies).toEqual([]);
  });

  it("sends metadata and gets them back as header and trailer", async () => {
    const { unary, serverStream } = await connect();
    const meta = { "x-echo": "to and fro", "x-echo-bin": "AP8", "x-echo-trailer": "end" };
    for (const call of [unary, serverStream]) {
      const { header, trailer } = await call({ count: 1 }, { meta });
      expect(header).toMatchObject({ "x-echo": "to and fro", "x-echo-bin": "AP8" });
      expect(trailer).toMatchObject({ "x-echo-trailer": "end" });
    }
  });

  it("gets an error with its message, details and metadata", async () => {
    const { unary, serverStream } = await connect();
    const failure = { code: 5, message: "100 % gone: ä", reason: "GONE", after: 0 };
    for (const call of [unary, serverStream]) {
      const error = await call({ count: 1, failure }, { meta: { "x-fail-hint": "later" } }).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(RpcError);
      expect(error).toMatchObject({ code: "NOT_FOUND", meta: { hint: "later" } });
      // It leaves the message as it is on the wire.
      expect(decodeURIComponent(error.message)).toBe("100 % gone: ä");
      const { details } = fromBinary(StatusSchema, base64Decode(error.meta["grpc-status-details-bin"]));
      expect(details).toMatchObject([{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo" }]);
    }
  });

  it("gets UNIMPLEMENTED for unknown methods", async () => {
    const { unary } = await connect();
    for (const name of ["Missing", "Nothing"]) {
      await expect(unary({}, {}, name)).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
    }
  });

  it("ends a call at its deadline", async () => {
    const { unary, serverStream } = await connect();
    for (const call of [unary, serverStream]) {
      await expect(call({ count: 1, waitMs: 5000 }, { timeout: 200 })).rejects.toMatchObject({
        code: "DEADLINE_EXCEEDED",
      });
    }
  });

  it("cancels a call, and its handler learns it", async () => {
    const { target, unary, serverStream } = await connect();
    for (const [text, call] of Object.entries({ unary, serverStream })) {
      const abort = new AbortController();
      void target.seen.started(text).then(() => abort.abort());
      const cancelled = call({ text, count: 1, waitMs: 10_000 }, { abort: abort.signal });
      await expect(cancelled).rejects.toMatchObject({ code: "CANCELLED" });
      expect(await target.seen.ended(text)).toMatchObject({ kind: "threw" });
    }
  });
});
