// Messages in protobuf's binary form.
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type BinaryDecodeOptions, decodeMessage } from "./binary-read.js";
import { type BinaryEncodeOptions, createEncoder, type Encoder } from "./binary-write.js";

/** Reads and writes one message type. */
export interface BinaryCodec {
  /**
   * What `fromBinary` makes of the bytes. `bytes` fields point into them.
   *
   * @throws BinaryError that names the field, or ElementLimitError
   */
  decode(bytes: Uint8Array): Message;
  /** What `toBinary` makes of the message, after `reserve` bytes that are the caller's to fill. */
  readonly encode: Encoder;
}

/** Prepares a codec. The options are those of protobuf-es and `maxElements`. */
export function createBinaryCodec(
  desc: DescMessage,
  options: BinaryDecodeOptions & BinaryEncodeOptions = {},
): BinaryCodec {
  return {
    decode: (bytes) => decodeMessage(desc, bytes, options),
    encode: createEncoder(desc, options),
  };
}
