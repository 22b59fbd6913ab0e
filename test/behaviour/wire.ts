// Calls by hand: what a request of each protocol has to look like, and what its response says, read from the documents and
// not from the server. https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-HTTP2.md,
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-WEB.md, https://connectrpc.com/docs/protocol
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { create, fromBinary, fromJsonString, type MessageInitShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import {
  type TestReply,
  TestReplySchema,
  TestRequestSchema,
  type TestService,
} from "../gen/manywire/test/v1/test_pb.js";
import { envelope, openEnvelopes } from "../support/envelopes.js";
import type { RawAnswer } from "../support/http.js";
import type { Codec, Wire } from "./combinations.js";
import { decodeBase64 } from "./transport.js";

type Method = (typeof TestService)["methods"][number];
export type RequestInit = MessageInitShape<typeof TestRequestSchema>;
export type Encoding = "gzip" | "br";

/** What a response says, whatever its protocol. */
export interface Outcome {
  readonly replies: TestReply[];
  /** undefined is OK. */
  readonly code: Code | undefined;
  readonly message: string;
  /** Trailers, wherever the protocol puts them, but for the status. */
  readonly trailers: Record<string, string>;
  /** How many messages were compressed. */
  readonly compressed: number;
}

const end = { "grpc-web": 0x80, connect: 2 } as const;
const compress = { gzip: gzipSync, br: brotliCompressSync };
const decompress = { gzip: gunzipSync, br: brotliDecompressSync };

/** The content type of a request for the method. */
export function contentType(wire: Wire, codec: Codec, method: Method): string {
  if (wire !== "connect") return `application/${wire}+${codec}`;
  return method.methodKind === "unary" ? `application/${codec}` : `application/connect+${codec}`;
}

/** The request header with a deadline. */
export function timeoutHeader(wire: Wire, timeoutMs: number): Record<string, string> {
  return wire === "connect" ? { "connect-timeout-ms": String(timeoutMs) } : { "grpc-timeout": `${timeoutMs}m` };
}

/** The name of the header that tells the compression of messages, and of that which lists what is accepted. */
export function encodingHeaders(wire: Wire, method: Method): { encoding: string; accept: string } {
  const prefix = wire !== "connect" ? "grpc-" : method.methodKind === "unary" ? "" : "connect-";
  return {
    encoding: prefix === "grpc-" ? "grpc-encoding" : `${prefix}content-encoding`,
    accept: `${prefix}accept-encoding`,
  };
}

/** Serialises a request. */
export function serialize(codec: Codec, request: RequestInit): Buffer {
  const message = create(TestRequestSchema, request);
  if (codec === "json") return Buffer.from(toJsonString(TestRequestSchema, message));
  return Buffer.from(toBinary(TestRequestSchema, message));
}

/** The body of a call with the messages (bytes are taken as serialised), each compressed if an encoding is given. */
export function encodeBody(
  wire: Wire,
  codec: Codec,
  method: Method,
  requests: (RequestInit | Uint8Array)[],
  encoding?: Encoding,
): Buffer {
  const flags = encoding === undefined ? 0 : 1;
  const messages = requests.map((request) => {
    const data = request instanceof Uint8Array ? request : serialize(codec, request);
    return encoding === undefined ? data : compress[encoding](data);
  });
  return wrapBody(
    wire,
    method,
    messages.map((data) => ({ flags, data })),
  );
}

/** Puts serialised messages in envelopes, where the protocol has them, and these in base64. */
export function wrapBody(wire: Wire, method: Method, messages: { flags: number; data: Uint8Array }[]): Buffer {
  if (wire === "connect" && method.methodKind === "unary") return Buffer.concat(messages.map(({ data }) => data));
  const body = Buffer.concat(messages.map(({ flags, data }) => envelope(data, flags)));
  return wire === "grpc-web-text" ? Buffer.from(body.toString("base64"), "latin1") : body;
}

/** Reads a response. Throws if it violates the protocol. */
export function readOutcome(wire: Wire, codec: Codec, method: Method, answer: RawAnswer): Outcome {
  if (wire === "connect" && method.methodKind === "unary") return readConnectUnary(codec, answer);
  const expected = contentType(wire, codec, method);
  if (answer.status !== 200 || answer.headers["content-type"] !== expected) {
    throw new Error(
      `expected 200 ${expected}, found ${answer.status} ${answer.headers["content-type"]} ${answer.text}`,
    );
  }
  const body = wire === "grpc-web-text" ? decodeBase64(answer.text) : answer.body;
  const encoding = answer.headers[encodingHeaders(wire, method).encoding] as Encoding | undefined;
  const all = openEnvelopes(body).map(({ flags, data }) => ({
    flags,
    data: (flags & 1) === 0 ? data : decompress[encoding as Encoding](data),
  }));
  const isEnd = ({ flags }: { flags: number }) =>
    wire !== "grpc" && (flags & end[wire === "connect" ? wire : "grpc-web"]) !== 0;
  const messages = all.filter((one) => !isEnd(one));
  const last = all.at(-1);
  const ending = last !== undefined && isEnd(last) ? last.data.toString() : undefined;
  return {
    replies: messages.map(({ data }) => parse(codec, data)),
    compressed: messages.filter(({ flags }) => (flags & 1) !== 0).length,
    ...(wire === "connect" ? readEndStream(ending ?? "") : readGrpcEnd(wire, answer, ending)),
  };
}

function parse(codec: Codec, data: Buffer): TestReply {
  return codec === "json" ? fromJsonString(TestReplySchema, data.toString()) : fromBinary(TestReplySchema, data);
}

type Ending = Pick<Outcome, "code" | "message" | "trailers">;

/** Status and trailers: HTTP's own with gRPC, text in the last envelope with gRPC-Web, and headers if nothing else came. */
function readGrpcEnd(wire: Wire, { headers, trailers, body }: RawAnswer, ending: string | undefined): Ending {
  const web = Object.fromEntries(
    (ending ?? "")
      .split("\r\n")
      .filter(Boolean)
      .map((line) => line.split(/: ?/, 2)),
  );
  const sent = body.length === 0 && trailers["grpc-status"] === undefined ? headers : wire === "grpc" ? trailers : web;
  const { "grpc-status": status, "grpc-message": message = "", ...rest } = sent as Record<string, string>;
  if (status === undefined) throw new Error(`expected a grpc-status, found ${JSON.stringify(sent)}`);
  return { code: Number(status) || undefined, message: decodeURIComponent(message), trailers: rest };
}

interface ConnectError {
  code: string;
  message?: string;
}

function readConnectError(error: ConnectError | undefined): Pick<Outcome, "code" | "message"> {
  return { code: error && codeFromString(error.code), message: error?.message ?? "" };
}

function readEndStream(text: string): Ending {
  const { error, metadata = {} } = JSON.parse(text) as { error?: ConnectError; metadata?: Record<string, string[]> };
  const trailers = Object.fromEntries(Object.entries(metadata).map(([name, values]) => [name, values.join(", ")]));
  return { ...readConnectError(error), trailers };
}

function readConnectUnary(codec: Codec, { status, headers, body }: RawAnswer): Outcome {
  const encoding = headers["content-encoding"] as Encoding | undefined;
  const data = encoding === undefined ? body : decompress[encoding](body);
  const trailers = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith("trailer-") ? [[name.slice("trailer-".length), String(value)]] : [],
    ),
  );
  const compressed = encoding === undefined ? 0 : 1;
  const isOk = status === 200;
  const expected = isOk ? `application/${codec}` : "application/json";
  if (headers["content-type"] !== expected) {
    throw new Error(`expected ${expected}, found ${headers["content-type"]} ${data.toString()}`);
  }
  if (isOk) return { replies: [parse(codec, data)], code: undefined, message: "", trailers, compressed };
  return { replies: [], compressed, trailers, ...readConnectError(JSON.parse(data.toString()) as ConnectError) };
}
