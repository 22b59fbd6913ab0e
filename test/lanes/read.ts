// Reads the envelopes of a request that may be broken.
import type { Sample, Wire } from "./generate.js";

/** The flags of the envelopes of a request, as far as they can be told. */
export function flagsOf(wire: Wire, sample: Sample): number[] {
  return heads(wire, sample).map(({ flags }) => flags);
}

/** Whether the body ends right after the head of an envelope that is said to have data. */
export function endsAfterHead(wire: Wire, sample: Sample): boolean {
  const last = heads(wire, sample).at(-1);
  return last !== undefined && last.length > 0 && last.rest === 0;
}

function heads(wire: Wire, { chunks }: Sample): { flags: number; length: number; rest: number }[] {
  const body = Buffer.concat(chunks);
  let rest = wire === "grpc-web-text" ? decodeBase64(body) : body;
  const found: { flags: number; length: number; rest: number }[] = [];
  while (rest.length >= 5) {
    const length = rest.readUInt32BE(1);
    found.push({ flags: rest.readUInt8(0), length, rest: rest.length - 5 });
    rest = rest.subarray(Math.min(5 + length, rest.length));
  }
  return found;
}

/** Decodes a row of base64 texts: every four characters stand for themselves, whatever padding they have. */
export function decodeBase64(body: Buffer): Buffer {
  const groups = body.toString("latin1").match(/.{4}/gs) ?? [];
  return Buffer.concat(groups.map((group) => Buffer.from(group, "base64")));
}
