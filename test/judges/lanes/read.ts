// Reads the envelopes of a request that may be broken.

import { TestRequestSchema } from "../../gen/manywire/test/v1/test_pb.js";
import { breaksRule } from "../../support/broken-rules.js";
import type { Sample, Wire } from "./generate.js";

/** The flags of the envelopes of a request, as far as they can be read. */
export function flagsOf(wire: Wire, sample: Sample): number[] {
  return heads(wire, sample).map(({ flags }) => flags);
}

/** Whether the body ends right after the head of an envelope that is said to have data. */
export function endsAfterHead(wire: Wire, sample: Sample): boolean {
  const last = heads(wire, sample).at(-1);
  return last !== undefined && last.length > 0 && last.rest === 0;
}

/** The head of an envelope, its data as far as they are there, and how many bytes follow the head. */
interface Head {
  readonly flags: number;
  readonly length: number;
  readonly data: Buffer;
  readonly rest: number;
}

/** Whether a message of the request, in protobuf and not compressed, is one that only protobuf-es takes. */
export function hasBrokenMessage(wire: Wire, sample: Sample): boolean {
  const isProto = sample.headers.some(([name, value]) => name === "content-type" && !value.includes("json"));
  const bodies = [
    ...heads(wire, sample).flatMap(({ flags, data }) => (flags === 0 ? [data] : [])),
    ...(wire === "connect" ? [Buffer.concat(sample.chunks)] : []),
  ];
  return isProto && bodies.some((bytes) => breaksRule(TestRequestSchema, bytes));
}

function heads(wire: Wire, { chunks }: Sample): Head[] {
  const body = Buffer.concat(chunks);
  let rest = wire === "grpc-web-text" ? decodeBase64(body) : body;
  const found: Head[] = [];
  while (rest.length >= 5) {
    const length = rest.readUInt32BE(1);
    const data = rest.subarray(5, 5 + length);
    found.push({ flags: rest.readUInt8(0), length, data, rest: rest.length - 5 });
    rest = rest.subarray(Math.min(5 + length, rest.length));
  }
  return found;
}

/** Decodes a row of base64 texts: every four characters stand for themselves, whatever padding they have. */
export function decodeBase64(body: Buffer): Buffer {
  const groups = body.toString("latin1").match(/.{4}/gs) ?? [];
  return Buffer.concat(groups.map((group) => Buffer.from(group, "base64")));
}
