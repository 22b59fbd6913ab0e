// Writes google.protobuf.Any: the message that it holds, with its type beside the fields.
import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { type Any, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { quote } from "../quote.js";
import { decodeMessage } from "./decode.js";
import { JsonWriteError } from "./json-write-error.js";
import { type ValueWriter, writeString } from "./json-write-scalar.js";

/** @param writerOf gives the writer of a message type */
export function writeAny(
  { typeUrl, value }: Any,
  registry: Registry | undefined,
  writerOf: (desc: DescMessage) => ValueWriter,
): string {
  if (typeUrl === "") return "{}";
  const type = `"@type":${writeString(typeUrl)}`;
  const desc = registry?.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
  if (desc === undefined) throw new JsonWriteError("", `unknown type ${quote(typeUrl)}`);
  const json = writerOf(desc)(unpack(desc, value));
  if (hasCustomJsonRepresentation(desc)) return `{"value":${json},${type}}`;
  return json === "{}" ? `{${type}}` : `${json.slice(0, -1)},${type}}`;
}

/** As many as one request may have by default. The bytes may have come in a request, where they were one element. */
const maxElements = 4 * 1024 * 1024;

function unpack(desc: DescMessage, bytes: Uint8Array): Message {
  try {
    return decodeMessage(desc, bytes, { maxElements });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new JsonWriteError("", `invalid bytes: ${reason}`);
  }
}
