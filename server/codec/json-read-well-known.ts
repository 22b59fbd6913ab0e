// Reads the well-known types whose JSON is not an object of their fields, but for google.protobuf.Any.
import type { DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc, type Timestamp } from "@bufbuild/protobuf/wkt";
import { emptyMaker } from "./empty.js";
import { byteAt, digitsAt, mark, peek, readText, rewind, signs, skip } from "./json-input.js";
import { scalarReader, textReader, type ValueReader } from "./json-read-scalar.js";
import { spend } from "./json-read-state.js";
import { readListValue, readStruct, readValue } from "./json-read-struct.js";
import { dayOf, durationText, fieldMaskText, secondOf, timestampOf, timestampText } from "./well-known-text.js";

/** Returns undefined for any other type. The depth of a reader is that of its message. */
export function wellKnownReader(desc: DescMessage): ValueReader | undefined {
  return isWrapperDesc(desc) ? wrapperReader(desc) : readers[desc.typeName];
}

const readTime = textReader(timestampText);

/** The places of the signs in `"2024-02-29T12:00:00`, and the signs. */
const timeSigns = [...'"2024-02-29T12:00:00'].flatMap((sign, at): [number, number][] =>
  /\d/.test(sign) ? [] : [[at, sign.charCodeAt(0)]],
);
const dot = 0x2e;
const letterZ = 0x5a;

/** Reads a time that ends with Z, without a string. Returns undefined, with nothing taken, for any other value. */
function readUtcTime(): Timestamp | undefined {
  peek();
  for (const [at, sign] of timeSigns) if (byteAt(at) !== sign) return undefined;
  const day = dayOf(digitsAt(1, 4), digitsAt(6, 2), digitsAt(9, 2));
  const second = secondOf(digitsAt(12, 2), digitsAt(15, 2), digitsAt(18, 2));
  let length = 20;
  let nanos = 0;
  if (byteAt(length) === dot) {
    // Three, six or nine decimals.
    const decimals = byteAt(24) === letterZ ? 3 : byteAt(27) === letterZ ? 6 : 9;
    nanos = digitsAt(21, decimals) * 10 ** (9 - decimals);
    length += 1 + decimals;
  }
  if (byteAt(length) !== letterZ || byteAt(length + 1) !== signs.quote || Number.isNaN(nanos)) return undefined;
  const time = timestampOf(day, second, nanos);
  if (time !== undefined) skip(length + 2);
  return time;
}

const readPaths = textReader(fieldMaskText);

const readers: Readonly<Record<string, ValueReader>> = {
  "google.protobuf.Timestamp": (depth) => readUtcTime() ?? readTime(depth),
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
