// Splits a message of protobuf into its fields (https://protobuf.dev/programming-guides/encoding/).

export interface WireField {
  readonly number: number;
  /** Of a field with a length; else empty. */
  readonly bytes: Uint8Array;
  /** Of a number; undefined for bytes. */
  readonly varint: bigint | undefined;
}

/** @throws Error if the bytes are not a message */
export function decodeFields(bytes: Uint8Array): WireField[] {
  const fields: WireField[] = [];
  let offset = 0;
  const take = (length: number): Uint8Array => {
    if (offset + length > bytes.length) throw new Error("message: unexpected end");
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; shift < 70n; shift += 7n) {
      const [byte = 0] = take(1);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Error("message: invalid varint");
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    const type = tag & 7;
    if (type === 0) fields.push({ number, bytes: new Uint8Array(), varint: varint() });
    else if (type === 2) fields.push({ number, bytes: take(Number(varint())), varint: undefined });
    else if (type === 1 || type === 5) take(type === 1 ? 8 : 4);
    else throw new Error(`message: unknown wire type ${type}`);
  }
  return fields;
}
