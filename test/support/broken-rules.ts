// Finds what protobuf-es reads in its own way although the encoding forbids it, and our decoder does not.
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * Whether bytes that protobuf-es accepts break one of these rules of https://protobuf.dev/programming-guides/encoding/:
 *
 * - A field has the wire type of its type. protobuf-es reads it as if it had; we keep it as an unknown field.
 * - Fields end where their message ends. protobuf-es reads on.
 * - An entry of a map may have unknown fields. protobuf-es takes their values for tags.
 * - A length has at most 32 bits. protobuf-es drops the others.
 * - A byte order mark is part of a string. protobuf-es drops it.
 * - A closed enum has no other values. protobuf-es writes these anew, and forgets them where unknown fields follow.
 */
export function breaksRule(desc: DescMessage, bytes: Uint8Array): boolean {
  try {
    return inMessage(desc, new BinaryReader(bytes), bytes.length);
  } catch {
    return true; // A field is longer than all of the bytes.
  }
}

function inMessage(desc: DescMessage, reader: BinaryReader, end: number, group?: number): boolean {
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.EndGroup) return number !== group;
    const field = desc.fields.find((one) => one.number === number);
    if (field === undefined) reader.skip(wireType, number);
    else if (inField(field, wireType, reader)) return true;
  }
  return group !== undefined || reader.pos !== end;
}

function inField(field: DescField, wireType: WireType, reader: BinaryReader): boolean {
  if (field.fieldKind === "map") return wireType !== WireType.LengthDelimited || inEntry(field, reader);
  const isPacked = field.fieldKind === "list" && wireType === WireType.LengthDelimited;
  if (field.message !== undefined) {
    if (wireType !== (field.delimitedEncoding ? WireType.StartGroup : WireType.LengthDelimited)) return true;
    if (field.delimitedEncoding) return inMessage(field.message, reader, reader.len, field.number);
    return inMessage(field.message, reader, readEnd(reader));
  }
  const scalar = field.scalar ?? ScalarType.INT32;
  const expected = wireTypeOf(scalar);
  if (!isPacked || expected === WireType.LengthDelimited) {
    return wireType !== expected || inValue(scalar, reader, field.enum?.open === false);
  }
  const end = readEnd(reader);
  while (reader.pos < end) reader.skip(expected);
  return reader.pos !== end;
}

function inEntry(field: DescField & { fieldKind: "map" }, reader: BinaryReader): boolean {
  const end = readEnd(reader);
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const scalar = number === 1 ? field.mapKey : number === 2 ? (field.scalar ?? ScalarType.INT32) : undefined;
    if (scalar === undefined) return true;
    if (number === 2 && field.message !== undefined) {
      if (wireType !== WireType.LengthDelimited || inMessage(field.message, reader, readEnd(reader))) return true;
    } else if (wireType !== wireTypeOf(scalar) || inValue(scalar, reader, false)) return true;
  }
  return reader.pos !== end;
}

function inValue(scalar: ScalarType, reader: BinaryReader, isClosed: boolean): boolean {
  const start = reader.pos;
  const bytes = reader.skip(wireTypeOf(scalar));
  if (scalar === ScalarType.BYTES || scalar === ScalarType.STRING) {
    reader.pos = start;
    const end = readEnd(reader);
    reader.pos = end;
    return scalar === ScalarType.STRING && Buffer.from(bytes).includes("\ufeff");
  }
  return isClosed && ![1, 0].includes(bytes[0] ?? 0);
}

function readEnd(reader: BinaryReader): number {
  const length = reader.uint64();
  const end = reader.pos + Number(length);
  if (end > reader.len) throw new RangeError("longer than the bytes");
  return end;
}

function wireTypeOf(scalar: ScalarType): WireType {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}
