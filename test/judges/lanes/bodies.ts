// Random bodies: messages as JSON or protobuf, compressed or not, alone, in envelopes, or in base64.
import { brotliCompressSync, gzipSync } from "node:zlib";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { TestRequestSchema } from "../../gen/manywire/test/v1/test_pb.js";
import { envelope } from "../../support/envelopes.js";
import type { Draft } from "./draft.js";

export type Codec = "proto" | "json";

/** What a body is made for. */
interface BodyKind {
  readonly codec: Codec;
  /** The compression that the head names. */
  readonly encoding: string | undefined;
  readonly isLate: boolean;
}

/** The most that a message may have, in bytes, on the server that is strict. */
export const limitBytes = 1000;

const texts = [
  "see",
  "see",
  "see",
  "",
  "a",
  "Gr\u00fc\u00dfe \u{1f389}",
  "line\nbreak",
  "\u0000",
  "x".repeat(1500),
  '"{}',
];
const failures = ["", "no", "\u00e9 %\r\n\u0000", "y".repeat(1300), '"'];

/** Messages that are odd in themselves, most of them broken. */
const oddMessages = [
  "",
  "null",
  '{"unknown":1}',
  '{"text":1}',
  '{"text":"a","text":"b"}',
  '{"data":"_-8"}',
  '{"count":"2"}',
  '{"count":-1}',
  "{",
  ' {"text":"see"}\n',
  "\x0a\x01\xff",
  "\x78\x01",
  "\x0b",
  "\x0a\x05",
  " ".repeat(300),
].map((text) => Buffer.from(text, "latin1"));

function message(draft: Draft, { codec, isLate }: BodyKind): Buffer {
  const { random } = draft;
  if (draft.isOdd(0.05)) return random.pick(oddMessages);
  const failure = {
    code: random.chance(0.9) ? random.below(17) : random.pick([17, 99]),
    message: random.pick(failures),
    reason: random.pick(["", "", "WHY"]),
    after: random.below(3),
  };
  const request = create(TestRequestSchema, {
    text: random.pick(texts),
    data: random.chance(0.2) ? random.bytes(random.below(40)) : new Uint8Array(),
    count: isLate ? 2 : random.below(4),
    waitMs: isLate ? 1000 : random.chance(0.05) ? 1 : 0,
    replyBytes: random.pick([0, 0, 0, 3, 1024, 3000]),
    ...(random.chance(0.25) && { failure }),
  });
  const isJson = codec === "json";
  const bytes = Buffer.from(isJson ? toJsonString(TestRequestSchema, request) : toBinary(TestRequestSchema, request));
  // One of the servers takes no more.
  if (bytes.length > limitBytes) draft.faults++;
  return draft.isOdd(0.03, 0) ? draft.breakBytes(bytes) : bytes;
}

function compress(draft: Draft, bytes: Buffer, encoding: string | undefined): Buffer {
  if (encoding === undefined || encoding === "identity" || draft.isOdd(0.04)) return bytes;
  return encoding === "br" ? brotliCompressSync(bytes) : gzipSync(bytes);
}

/** The message as the whole body. */
export function plainBody(draft: Draft, kind: BodyKind): Buffer {
  return compress(draft, message(draft, kind), kind.encoding);
}

/** The message of a query. */
export function queryMessage(draft: Draft, kind: BodyKind): Buffer {
  return compress(draft, message(draft, kind), kind.encoding);
}

/** Messages in envelopes. One, unless `isMany`. */
export function envelopes(draft: Draft, kind: BodyKind & { readonly isMany: boolean }): Buffer {
  const { random } = draft;
  const count = draft.isOdd(0.05) ? random.pick([0, 2]) : kind.isMany ? random.below(4) : 1;
  const whole = Buffer.concat(Array.from({ length: count }, () => oneEnvelope(draft, kind)));
  // Right after a head is a place like no other.
  if (draft.isOdd(0.02)) return Buffer.concat([whole, envelope("", 0, 9)]);
  return draft.isOdd(0.03) ? whole.subarray(0, random.below(whole.length + 1)) : whole;
}

function oneEnvelope(draft: Draft, kind: BodyKind): Buffer {
  const { random } = draft;
  const isCompressed = kind.encoding !== undefined && kind.encoding !== "identity" && random.chance(0.8);
  const bytes = message(draft, kind);
  const data = isCompressed ? compress(draft, bytes, kind.encoding) : bytes;
  const flags = isCompressed ? 1 : 0;
  if (draft.isOdd(0.03)) return envelope(data, random.pick([1, 2, 3, 4, 0x80, 0x81, 0xff]));
  const lies = [0, 1, data.length + 1, data.length - 1, 5000, 0xffffffff];
  return draft.isOdd(0.02, 2) ? envelope(data, flags, random.pick(lies) >>> 0) : envelope(data, flags);
}

/** A body as base64: in one text, or in several that each have their own padding. */
export function inBase64(draft: Draft, bytes: Buffer): Buffer {
  const pieces = draft.random.chance(0.5) ? [bytes] : draft.cut(bytes);
  const text = Buffer.from(pieces.map((piece) => piece.toString("base64")).join(""));
  return draft.isOdd(0.04, 0) ? draft.breakBytes(text) : text;
}
