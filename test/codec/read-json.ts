// Reads JSON as calls do.
import type { DescMessage, JsonReadOptions, Message } from "@bufbuild/protobuf";
import { createJsonDecoder } from "../../server/codec/json.js";

/** Reads what was sent: the bytes, or else their text. */
export function readSent(desc: DescMessage, options: Partial<JsonReadOptions>, sent: string): Message {
  const { decode, decodeText } = createJsonDecoder(desc, options);
  return decode(Buffer.from(sent)) ?? decodeText(received(sent));
}

/** A text as it arrives: without a byte order mark, and with a sign in the place of what UTF-8 has not. */
export function received(sent: string): string {
  return new TextDecoder().decode(Buffer.from(sent));
}
