// Makes messages of parsed JSON: a function for each field, found by its name (https://protobuf.dev/programming-guides/json/).
import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";

import { isLeafType, isLongAsString, isPlainJsonType, nullValue, prototypeKey, unusual } from "./json-support.js";
import { type PlainScalar, scalarKinds } from "./values.js";

type Target = Record<string, unknown>;
/** Makes a value of JSON. @throws unusual */
type ValueReader = (json: unknown, depth: number) => unknown;
/** Sets a field of a message. @throws unusual */
type FieldReader = (target: Target, json: unknown, depth: number) => void;
type Readers = Map<string, FieldReader>;

/** Nested deeper than this, protobuf-es decides. */
const maxDepth = 90;

/** How many colons have been seen, in names, after names, and in text. */
let colons = 0;

const plans = new WeakMap<DescMessage, Readers>();

/**
 * Reads a message. JSON.parse keeps the last of members with the same name, which protobuf-es refuses: a text with a member
 * that was dropped has more colons than were met in what was kept.
 *
 * @throws unusual, or SyntaxError
 */
export function readJson(desc: DescMessage, text: string): Message {
  if (mayHideColons.test(text)) throw unusual;
  colons = 0;
  const message = messageReader(desc)(JSON.parse(text), 0) as Message;
  if (colons !== countColons(text)) throw unusual;
  return message;
}

/** A colon as an escape sequence. */
const mayHideColons = /\\u003a/i;

function countColons(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) count++;
  return count;
}

function readMessage(desc: DescMessage, readers: Readers, json: unknown, depth: number): Message {
  if (typeof json !== "object" || json === null || Array.isArray(json) || depth > maxDepth) throw unusual;
  const message = create(desc);
  for (const name in json) {
    const read = readers.get(name);
    if (read === undefined) throw unusual;
    colons++;
    read(message as unknown as Target, (json as Target)[name], depth);
  }
  return message;
}

function readersOf(desc: DescMessage): Readers {
  const known = plans.get(desc);
  if (known !== undefined) return known;
  const readers: Readers = new Map();
  // Before its fields are looked at, so that a type may contain itself.
  plans.set(desc, readers);
  for (const field of desc.fields) {
    if (!field.jsonName.includes(":")) readers.set(field.jsonName, fieldReader(field));
  }
  return readers;
}

function fieldReader(field: DescField): FieldReader {
  const { localName: name, oneof } = field;
  const read = valueReader(field);
  if (field.fieldKind === "list") return listReader(name, read);
  if (field.fieldKind === "map") return field.mapKey === ScalarType.STRING ? mapReader(name, read) : readNothing;
  if (oneof !== undefined) return oneofReader(oneof.localName, name, read);
  return (target, json, depth) => {
    target[name] = read(json, depth);
  };
}

function listReader(name: string, read: ValueReader): FieldReader {
  return (target, json, depth) => {
    if (!Array.isArray(json)) throw unusual;
    const list = target[name] as unknown[];
    for (const item of json) list.push(read(item, depth));
  };
}

function mapReader(name: string, read: ValueReader): FieldReader {
  return (target, json, depth) => {
    if (typeof json !== "object" || json === null || Array.isArray(json)) throw unusual;
    const map = target[name] as Target;
    for (const key in json) {
      if (key === prototypeKey) throw unusual;
      colons++;
      readText(key);
      map[key] = read((json as Target)[key], depth);
    }
  };
}

function oneofReader(oneof: string, name: string, read: ValueReader): FieldReader {
  return (target, json, depth) => {
    if ((target[oneof] as { case?: string }).case !== undefined) throw unusual;
    target[oneof] = { case: name, value: read(json, depth) };
  };
}

function valueReader(field: DescField): ValueReader {
  if (field.enum !== undefined) return enumReader(field.enum);
  if (field.message !== undefined) return messageReader(field.message);
  return (!isLongAsString(field) && scalarReaders[field.scalar]) || readNothing;
}

const readNothing = (): never => {
  throw unusual;
};

function messageReader(desc: DescMessage): ValueReader {
  if (isLeafType(desc)) return (json) => fromJson(desc, readText(json));
  if (!isPlainJsonType(desc)) return readNothing;
  const readers = readersOf(desc);
  return (json, depth) => readMessage(desc, readers, json, depth + 1);
}

function enumReader(desc: DescEnum): ValueReader {
  if (desc.typeName === nullValue) return readNothing;
  const numbers = new Map(desc.values.map(({ name, number }) => [name, number]));
  return (json) => numbers.get(json as string) ?? readNothing();
}

/** Text, which may have colons. */
function readText(json: unknown): string {
  if (typeof json !== "string" || !json.isWellFormed()) throw unusual;
  if (json.includes(":")) colons += countColons(json);
  return json;
}

const fitting =
  (isFit: (json: unknown) => boolean): ValueReader =>
  (json) =>
    isFit(json) ? json : readNothing();

const integer =
  (form: RegExp, isFit: (json: unknown) => boolean): ValueReader =>
  (json) =>
    (typeof json === "string" && form.test(json)) || isFit(json) ? BigInt(json as string | number) : readNothing();

/** Values that JSON has as they are. */
const same = (type: PlainScalar): ValueReader => fitting(scalarKinds[type].isFit);

const scalarReaders: Partial<Record<ScalarType, ValueReader>> = {
  [ScalarType.STRING]: readText,
  [ScalarType.BYTES]: (json) => base64Decode(readText(json)),
  [ScalarType.BOOL]: same(ScalarType.BOOL),
  [ScalarType.INT32]: same(ScalarType.INT32),
  [ScalarType.SINT32]: same(ScalarType.SINT32),
  [ScalarType.UINT32]: same(ScalarType.UINT32),
  // Of numbers only those whose value is beyond doubt, and of text only what is surely in range.
  [ScalarType.INT64]: integer(/^-?(?:0|[1-9]\d{0,17})$/, Number.isSafeInteger),
  [ScalarType.UINT64]: integer(/^(?:0|[1-9]\d{0,18})$/, (json) => Number.isSafeInteger(json) && (json as number) >= 0),
  [ScalarType.DOUBLE]: fitting(Number.isFinite),
  [ScalarType.FLOAT]: fitting((json) => Number.isFinite(json) && scalarKinds[ScalarType.FLOAT].isFit(json)),
};
