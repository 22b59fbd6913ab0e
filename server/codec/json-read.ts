// Makes messages of JSON: a function for each field, found by its name (https://protobuf.dev/programming-guides/json/).
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { emptyMaker } from "./empty.js";
import { closeJson, expect, openJson, peek, readNumber, readText, signs, take, takeAll } from "./json-input.js";
import { isLeafType, isLongAsString, isPlainJsonType, nullValue, prototypeKey } from "./json-support.js";
import { unusual } from "./unusual.js";
import { type PlainScalar, scalarKinds } from "./values.js";

type Target = Record<string, unknown>;
/** Reads a value. @throws unusual */
type ValueReader = (depth: number) => unknown;
/** Reads the value of a field into a message. @throws unusual */
type FieldReader = (target: Target, depth: number) => void;

/** A field, and its place among those of its type. */
interface Field {
  readonly index: number;
  /** Its name as it is written, with quotes. */
  readonly name: Uint8Array;
  readonly read: FieldReader;
}

/** How a type is read. */
interface Plan {
  readonly create: () => Message;
  readonly fields: Field[];
  readonly byName: Map<string, Field>;
}

const utf8 = new TextEncoder();

/** Nested deeper than this, protobuf-es decides. */
const maxDepth = 90;

/** Trying more fields would take longer than looking the name up. */
const maxTried = 8;

const readers = new WeakMap<DescMessage, ValueReader>();

/** Reads a message. @throws unusual, or SyntaxError */
export function readJson(desc: DescMessage, json: Uint8Array): Message {
  openJson(json);
  try {
    const message = messageReader(desc)(0) as Message;
    if (peek() !== undefined) throw unusual;
    return message;
  } finally {
    closeJson();
  }
}

function readMessage(plan: Plan, depth: number): Message {
  if (depth > maxDepth) throw unusual;
  expect(signs.openObject);
  const message = plan.create();
  if (take(signs.closeObject)) return message;
  const seen = new Seen();
  let next = 0;
  do {
    const field = takeName(plan, next);
    seen.add(field.index);
    next = field.index + 1;
    expect(signs.colon);
    field.read(message as unknown as Target, depth);
  } while (take(signs.comma));
  expect(signs.closeObject);
  return message;
}

/** Fields mostly come in the order of their type, so those that may be next are tried first. */
function takeName({ fields, byName }: Plan, next: number): Field {
  const end = Math.min(next + maxTried, fields.length);
  for (let index = next; index < end; index++) {
    const field = fields[index] as Field;
    if (takeAll(field.name)) return field;
  }
  const field = byName.get(readText());
  if (field === undefined) throw unusual;
  return field;
}

function addFields({ fields, byName }: Plan, desc: DescMessage): void {
  desc.fields.forEach((descField, index) => {
    const { jsonName } = descField;
    const field: Field = { index, name: utf8.encode(JSON.stringify(jsonName)), read: fieldReader(descField) };
    fields.push(field);
    byName.set(jsonName, field);
  });
}

function fieldReader(field: DescField): FieldReader {
  const { localName: name, oneof } = field;
  const read = valueReader(field);
  if (field.fieldKind === "list") return listReader(name, read);
  if (field.fieldKind === "map") return field.mapKey === ScalarType.STRING ? mapReader(name, read) : readNothing;
  if (oneof !== undefined) return oneofReader(oneof.localName, name, read);
  return (target, depth) => {
    target[name] = read(depth);
  };
}

function listReader(name: string, read: ValueReader): FieldReader {
  return (target, depth) => {
    expect(signs.openList);
    if (take(signs.closeList)) return;
    const list = target[name] as unknown[];
    do list.push(read(depth));
    while (take(signs.comma));
    expect(signs.closeList);
  };
}

function mapReader(name: string, read: ValueReader): FieldReader {
  return (target, depth) => {
    expect(signs.openObject);
    if (take(signs.closeObject)) return;
    const map = target[name] as Target;
    do {
      const key = readText();
      if (key === prototypeKey || Object.hasOwn(map, key)) throw unusual;
      expect(signs.colon);
      map[key] = read(depth);
    } while (take(signs.comma));
    expect(signs.closeObject);
  };
}

function oneofReader(oneof: string, name: string, read: ValueReader): FieldReader {
  return (target, depth) => {
    if ((target[oneof] as { case?: string }).case !== undefined) throw unusual;
    target[oneof] = { case: name, value: read(depth) };
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
  if (isLeafType(desc)) return () => fromJson(desc, readText());
  if (!isPlainJsonType(desc)) return readNothing;
  const known = readers.get(desc);
  if (known !== undefined) return known;
  const plan: Plan = { create: emptyMaker(desc), fields: [], byName: new Map() };
  const reader: ValueReader = (depth) => readMessage(plan, depth + 1);
  // Before its fields are looked at, so that a type may contain itself.
  readers.set(desc, reader);
  addFields(plan, desc);
  return reader;
}

function enumReader(desc: DescEnum): ValueReader {
  if (desc.typeName === nullValue) return readNothing;
  const numbers = new Map(desc.values.map(({ name, number }) => [name, number]));
  return () => numbers.get(readText()) ?? readNothing();
}

const number =
  (isFit: (value: number) => boolean): ValueReader =>
  () => {
    const value = readNumber();
    return isFit(value) ? value : readNothing();
  };

/** Numbers of these values, as JSON has them. */
const same = (type: PlainScalar): ValueReader => number(scalarKinds[type].isFit);

/** Of numbers only those whose value is beyond doubt, and of text only what is surely in range. */
const integer =
  (form: RegExp, isFit: (value: number) => boolean): ValueReader =>
  () => {
    if (peek() !== signs.quote) return BigInt(number(isFit)(0) as number);
    const text = readText();
    return form.test(text) ? BigInt(text) : readNothing();
  };

const yes = utf8.encode("true");
const no = utf8.encode("false");

const scalarReaders: Partial<Record<ScalarType, ValueReader>> = {
  [ScalarType.STRING]: readText,
  [ScalarType.BYTES]: () => base64Decode(readText()),
  [ScalarType.BOOL]: () => takeAll(yes) || (takeAll(no) ? false : readNothing()),
  [ScalarType.INT32]: same(ScalarType.INT32),
  [ScalarType.SINT32]: same(ScalarType.SINT32),
  [ScalarType.UINT32]: same(ScalarType.UINT32),
  [ScalarType.INT64]: integer(/^-?(?:0|[1-9]\d{0,17})$/, Number.isSafeInteger),
  [ScalarType.UINT64]: integer(/^(?:0|[1-9]\d{0,18})$/, (value) => Number.isSafeInteger(value) && value >= 0),
  [ScalarType.DOUBLE]: number(Number.isFinite),
  [ScalarType.FLOAT]: number((value) => Number.isFinite(value) && scalarKinds[ScalarType.FLOAT].isFit(value)),
};

/** The fields that a message has had: none may come twice. */
class Seen {
  #first32 = 0;
  #others: Set<number> | undefined;

  /** @throws unusual */
  add(index: number): void {
    if (index < 32) {
      const bit = 1 << index;
      if ((this.#first32 & bit) !== 0) throw unusual;
      this.#first32 |= bit;
      return;
    }
    this.#others ??= new Set();
    if (this.#others.has(index)) throw unusual;
    this.#others.add(index);
  }
}
