// Messages in envelopes, written and read without the server's own code: one byte of flags, four of length, the data.
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-HTTP2.md#requests "Length-Prefixed-Message"

/** Puts data in an envelope. `length` is what the envelope says; the truth, if left out. */
export function envelope(data: string | Uint8Array, flags = 0, length: number = Buffer.byteLength(data)): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, Buffer.from(data)]);
}

/** Takes a body apart. Throws if it is not a row of whole envelopes. */
export function openEnvelopes(body: Buffer): { flags: number; data: Buffer }[] {
  const found: { flags: number; data: Buffer }[] = [];
  let rest = body;
  while (rest.length > 0) {
    const end = rest.length < 5 ? Number.POSITIVE_INFINITY : 5 + rest.readUInt32BE(1);
    if (end > rest.length) throw new Error(`the body ends inside an envelope: ${rest.toString("hex")}`);
    found.push({ flags: rest.readUInt8(0), data: rest.subarray(5, end) });
    rest = rest.subarray(end);
  }
  return found;
}
