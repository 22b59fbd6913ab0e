// Reads JSON as calls do.
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { createJsonDecoder, type JsonDecodeOptions } from "../../../server/codec/json-read.js";

/** Reads what was sent. */
export function readSent(desc: DescMessage, options: JsonDecodeOptions, sent: string): Message {
  return createJsonDecoder(desc, options)(Buffer.from(sent));
}
