// Messages in protobuf's binary form.
import type { DescMessage } from "@bufbuild/protobuf";
import { createDecoder, type Decoder } from "./binary-read.js";
import type { BinaryDecodeOptions } from "./binary-read-state.js";
import { type Appender, type BinaryEncodeOptions, createEncoders, type Encoder } from "./binary-write.js";

/** Reads and writes one message type. */
export interface BinaryCodec {
  /** What `fromBinary` makes of the bytes. @throws BinaryError that names the field, or ElementLimitError */
  readonly decode: Decoder;
  /** What `toBinary` makes of the message, after `reserve` bytes that are the caller's to fill. */
  readonly encode: Encoder;
  /** Does the same, and appends it to other bytes. */
  readonly append: Appender;
}

/** Prepares a codec. The options are those of protobuf-es, `maxElements` and `compiles`. */
export function createBinaryCodec(
  desc: DescMessage,
  options: BinaryDecodeOptions & BinaryEncodeOptions = {},
): BinaryCodec {
  return { decode: createDecoder(desc, options, options.compiles), ...createEncoders(desc, options) };
}
