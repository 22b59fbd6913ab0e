// Encodes messages of any type with protobuf-es, and keeps a key that protobuf-es loses: `__proto__` in fields of type Struct.
import { type BinaryWriteOptions, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { prototypeKey } from "./json-facts.js";

type Encoder = (message: Message, reserve: number) => Buffer;

/** Prepares the encoding of a type: what `toBinary` makes of a message, after `reserve` free bytes. */
export function createAnyEncoder(desc: DescMessage, options: Partial<BinaryWriteOptions>): Encoder {
  const encode: Encoder = (message, reserve) => {
    const bytes = toBinary(desc, message, options);
    const buffer = Buffer.allocUnsafe(reserve + bytes.length);
    buffer.set(bytes, reserve);
    return buffer;
  };
  if (!hasStruct(desc)) return encode;
  return (message, reserve) => {
    const hidden = hideKey(message);
    const buffer = encode(hidden, reserve);
    if (hidden !== message) restoreKey(buffer, reserve);
    return buffer;
  };
}

/** Whether a message of the type can have a Struct, at whatever depth. */
function hasStruct(desc: DescMessage, seen: Set<DescMessage> = new Set()): boolean {
  if (seen.has(desc)) return false;
  seen.add(desc);
  return (
    desc.typeName === "google.protobuf.Struct" || desc.fields.some(({ message }) => message && hasStruct(message, seen))
  );
}

/** Stands for the key. It is as long, so that all lengths stay right, and random, so that no client can send it. */
const standIn = Buffer.from(crypto.getRandomValues(new Uint8Array(6)))
  .toString("base64url")
  .padEnd(prototypeKey.length, "\u007f");

/** Returns a copy with the stand-in for the key; the value itself if it does not have the key. */
function hideKey<T>(value: T): T {
  if (Array.isArray(value)) {
    const items = value.map(hideKey);
    return items.every((item, index) => Object.is(item, value[index])) ? value : (items as T);
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  const before = Object.entries(value);
  const after = before.map(([key, own]): [string, unknown] => [key === prototypeKey ? standIn : key, hideKey(own)]);
  const isSame = after.every(([key, own], index) => key === before[index]?.[0] && Object.is(own, before[index]?.[1]));
  return isSame ? value : Object.assign(Object.create(Object.getPrototypeOf(value)), Object.fromEntries(after));
}

function restoreKey(buffer: Buffer, start: number): void {
  for (let at = buffer.indexOf(standIn, start); at >= 0; at = buffer.indexOf(standIn, at))
    buffer.write(prototypeKey, at);
}
