// The JSON of messages behind one interface. Browsers have another codec behind it, which is smaller.
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { createJsonDecoder, type JsonDecodeOptions, type JsonDecoder } from "./json-read.js";
import { createJsonEncoder, createJsonFieldEncoder, type JsonEncodeOptions, type Omitted } from "./json-write.js";

/** Reads and writes messages as ProtoJSON. */
export interface JsonCodec {
  /**
   * Prepares the decoding of a type. The decoder throws an Error for anything that is not a message of it.
   *
   * @param field the field whose JSON is decoded; undefined if it is the whole message
   */
  createDecoder(desc: DescMessage, options: JsonDecodeOptions, field?: DescField): JsonDecoder;
  /**
   * Prepares the writing of a type. The encoder throws an Error for a value that has no JSON.
   *
   * @param omitted fields that are left out, each as the path to it
   */
  createEncoder(desc: DescMessage, options: JsonEncodeOptions, omitted?: Omitted): (message: Message) => string;
  /** The same for one field, without its name. The encoder returns undefined if the field has presence and is not set. */
  createFieldEncoder(
    field: DescField,
    options: JsonEncodeOptions,
    omitted?: Omitted,
  ): (message: Message) => string | undefined;
}

/** Our own codec. */
export const ownJson: JsonCodec = {
  createDecoder: createJsonDecoder,
  createEncoder: createJsonEncoder,
  createFieldEncoder: createJsonFieldEncoder,
};
