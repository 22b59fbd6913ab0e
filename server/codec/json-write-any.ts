// Writes google.protobuf.Any: the message that it holds, with its type beside the fields.
import { type DescMessage, fromBinary, type Message, type Registry } from "@bufbuild/protobuf";
import { type Any, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { quote } from "../quote.js";
import { closeObject, encodeName, outputPosition, putAscii, putName, reopenObject } from "./json-output.js";
import { JsonWriteError } from "./json-write-error.js";
import { type ValueWriter, writeString } from "./json-write-scalar.js";

const valueName = encodeName("value");
const typeName = encodeName("@type");

/** @param writerOf gives the writer of a message type */
export function writeAny(
  { typeUrl, value }: Any,
  registry: Registry | undefined,
  writerOf: (desc: DescMessage) => ValueWriter,
): void {
  const start = outputPosition();
  if (typeUrl === "") {
    closeObject(start);
    return;
  }
  const desc = registry?.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
  if (desc === undefined) throw new JsonWriteError("", `unknown type ${quote(typeUrl)} in google.protobuf.Any`);
  const message = unpack(desc, value);
  if (hasCustomJsonRepresentation(desc)) {
    putName(valueName);
    writerOf(desc)(message);
    putName(typeName);
    writeString(typeUrl);
    closeObject(start);
  } else {
    writerOf(desc)(message);
    reopenObject(start);
    putAscii('"@type":');
    writeString(typeUrl);
    putAscii("}");
  }
}

function unpack(desc: DescMessage, bytes: Uint8Array): Message {
  try {
    return fromBinary(desc, bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new JsonWriteError("", `google.protobuf.Any has bytes that are no ${desc.typeName}: ${reason}`);
  }
}
