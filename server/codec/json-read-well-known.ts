// Reads the well-known types whose JSON is not an object of their fields, but for google.protobuf.Any.
import type { DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { emptyMaker } from "./empty.js";
import { mark, peek, readText, rewind, signs } from "./json-input.js";
import { scalarReader, textReader, type ValueReader } from "./json-read-scalar.js";
import { spend } from "./json-read-state.js";
import { readListValue, readStruct, readValue } from "./json-read-struct.js";
import { durationText, fieldMaskText, timestampText } from "./well-known-text.js";

/** Returns undefined for any other type. The depth of a reader is that of its message. */
export function wellKnownReader(desc: DescMessage): ValueReader | undefined {
  return isWrapperDesc(desc) ? wrapperReader(desc) : readers[desc.typeName];
}

const readPaths = textReader(fieldMaskText);

const readers: Readonly<Record<string, ValueReader>> = {
  "google.protobuf.Timestamp": textReader(timestampText),
  "google.protobuf.Duration": textReader(durationText),
  "google.protobuf.FieldMask": (depth) => {
    spendPaths();
    return readPaths(depth);
  },
  "google.protobuf.Struct": readStruct,
  "google.protobuf.ListValue": readListValue,
  "google.protobuf.Value": readValue,
};

/** The paths of a mask are items of a list: there are as many as commas, and one. */
function spendPaths(): void {
  if (peek() !== signs.quote) return;
  const start = mark();
  const text = readText();
  let count = 1;
  for (let at = text.indexOf(","); at >= 0; at = text.indexOf(",", at + 1)) count++;
  spend(count);
  rewind(start);
}

/** Reads a wrapper as a message. */
function wrapperReader(desc: DescMessage): ValueReader {
  const read = wrappedReader(desc);
  const create = emptyMaker(desc);
  return (depth) => Object.assign(create(), { value: read(depth) });
}

/** Reads a wrapper as singular fields have it: its value alone. */
export function wrappedReader(desc: DescMessage): ValueReader {
  const [field] = desc.fields;
  if (field?.fieldKind !== "scalar") throw new Error(`${desc} is no wrapper`);
  return scalarReader(field);
}
