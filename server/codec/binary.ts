// Messages in protobuf's binary form. What is not a message of the type, when it is written, is left to protobuf-es, so that
// errors are its own.
import type { BinaryWriteOptions, DescMessage, Message } from "@bufbuild/protobuf";
import { type BinaryDecodeOptions, decodeMessage } from "./binary-read.js";
import { encodePlain } from "./binary-write.js";
import { createAnyEncoder } from "./binary-write-any.js";
import { isPlainType } from "./plain-type.js";

/** Reads and writes one message type. */
export interface BinaryCodec {
  /**
   * What `fromBinary` makes of the bytes. `bytes` fields point into them.
   *
   * @throws BinaryError that names the field, or ElementLimitError
   */
  decode(bytes: Uint8Array): Message;
  /** What `toBinary` makes of the message, after `reserve` bytes that are the caller's to fill. */
  encode(message: Message, reserve: number): Buffer;
}

/** Prepares a codec. The options are those of protobuf-es and `maxElements`. */
export function createBinaryCodec(
  desc: DescMessage,
  options: BinaryDecodeOptions & Partial<BinaryWriteOptions> = {},
): BinaryCodec {
  const encodeAny = createAnyEncoder(desc, options);
  const isPlain = isPlainType(desc);
  return {
    decode: (bytes) => decodeMessage(desc, bytes, options),
    encode(message, reserve) {
      if (!isPlain) return encodeAny(message, reserve);
      try {
        return encodePlain(desc, message, reserve);
      } catch {
        return encodeAny(message, reserve);
      }
    },
  };
}
