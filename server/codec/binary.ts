// Messages in protobuf's binary form, fast for plain types. Whatever is unusual, in a type, on the wire or in a message, is
// left to protobuf-es, so that results and errors are always its own.
import {
  type BinaryReadOptions,
  type BinaryWriteOptions,
  type DescMessage,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { decodePlain } from "./decode.js";
import { encodePlain } from "./encode.js";
import { isPlainType } from "./support.js";

/** Reads and writes one message type. */
export interface BinaryCodec {
  /** What `fromBinary` makes of the bytes. `bytes` fields point into them. */
  decode(bytes: Uint8Array): Message;
  /** What `toBinary` makes of the message, after `reserve` bytes that are the caller's to fill. */
  encode(message: Message, reserve: number): Buffer;
}

/** Prepares a codec. The options are those of protobuf-es. */
export function createBinaryCodec(
  desc: DescMessage,
  options?: Partial<BinaryReadOptions & BinaryWriteOptions>,
): BinaryCodec {
  const decodeAny = (bytes: Uint8Array) => fromBinary(desc, bytes, options);
  const encodeAny = (message: Message, reserve: number) => {
    const bytes = toBinary(desc, message, options);
    const buffer = Buffer.allocUnsafe(reserve + bytes.length);
    buffer.set(bytes, reserve);
    return buffer;
  };
  const isPlain = options?.recursionLimit === undefined && isPlainType(desc);
  if (!isPlain) return { decode: decodeAny, encode: encodeAny };
  return {
    decode(bytes) {
      try {
        return decodePlain(desc, bytes);
      } catch {
        return decodeAny(bytes);
      }
    },
    encode(message, reserve) {
      try {
        return encodePlain(desc, message, reserve);
      } catch {
        return encodeAny(message, reserve);
      }
    },
  };
}
