// Decodes messages of any type: a function for each field, found by the tag before it.
// https://protobuf.dev/programming-guides/encoding/
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { quote } from "../quote.js";
import {
  BinaryError,
  input,
  readBool,
  readBytes,
  readDouble,
  readEnd,
  readFixed32,
  readFixed64,
  readFloat,
  readInt32,
  readInt64,
  readLenientString,
  readSfixed32,
  readSfixed64,
  readSint32,
  readSint64,
  readString,
  readTag,
  readUint32,
  readUint64,
  skip,
  takeTo,
} from "./binary-input.js";
import { checkDepth, pastEnd, state } from "./binary-read-state.js";
import { readJsonObject } from "./binary-read-struct.js";
import { bytesCost, ElementBudget, elementCost, entryCost, unknownFieldCost } from "./element-limit.js";
import { emptyMaker } from "./empty.js";
import { isLongAsString } from "./json-facts.js";
import { setEntry, type Target } from "./values.js";

/** How messages are decoded. */
export interface BinaryDecodeOptions {
  /** Maximum depth of nesting. Default 100, as in protobuf-es. */
  readonly recursionLimit?: number;
  /** Whether to keep fields that the type does not have. Default true. */
  readonly readUnknownFields?: boolean;
  /** Maximum number of elements of a message, as `ElementBudget` counts them. Default: no limit. */
  readonly maxElements?: number | undefined;
}

/** Reads the value of a field into a message. */
type ValueSetter = (target: Target, depth: number) => void;
/** Reads a value. The depth is that of the message that has it. */
type ValueReader = (depth: number) => unknown;

/** A field with one of the wire types that it may have. */
interface Field {
  readonly desc: DescField;
  readonly read: ValueSetter;
}

/** How a type is read. */
interface Plan {
  readonly create: () => Message;
  readonly cost: number;
  /** By tag. */
  readonly fields: Map<number, Field>;
}

/** A field as it is on the wire. */
interface UnknownField {
  readonly no: number;
  readonly wireType: number;
  readonly data: Uint8Array;
}

const sized = 2;
const groupStart = 3;
const groupEnd = 4;

const tagOf = (number: number, wireType: number) => ((number << 3) | wireType) >>> 0;

const plans = new WeakMap<DescMessage, Plan>();

/**
 * Decodes a message. Its `bytes` fields and unknown fields are parts of the given bytes.
 *
 * @throws BinaryError or ElementLimitError
 */
export function decodeMessage(desc: DescMessage, bytes: Uint8Array, options: BinaryDecodeOptions = {}): Message {
  state.budget = new ElementBudget(options.maxElements ?? Number.POSITIVE_INFINITY);
  state.recursionLimit = options.recursionLimit ?? 100;
  state.keepsUnknown = options.readUnknownFields ?? true;
  input.open(bytes);
  try {
    const plan = planOf(desc);
    const message = plan.create();
    readFields(plan, message, bytes.length, noGroup, 1);
    return message;
  } catch (error) {
    throw error instanceof BinaryError && !error.hasPath ? error.within(desc.typeName) : error;
  } finally {
    input.close();
  }
}

/** Stands for the tag that ends a group. */
const noGroup = -1;

/** Reads fields into a message: up to a position, or to the tag that ends a group. */
function readFields({ fields }: Plan, message: Message, end: number, endTag: number, depth: number): void {
  checkDepth(depth);
  const target = message as unknown as Target;
  let field: Field | undefined;
  try {
    while (input.pos < end) {
      field = undefined;
      const tag = readTag();
      field = fields.get(tag);
      if (field !== undefined) field.read(target, depth);
      else if (tag === endTag) return;
      else readUnknown(target, tag, depth);
    }
    if (endTag !== noGroup) {
      field = undefined;
      throw new BinaryError("group without an end");
    }
    if (input.pos > end) throw pastEnd("message");
  } catch (error) {
    throw field !== undefined && error instanceof BinaryError ? error.within(pathIn(field.desc, target)) : error;
  }
}

/** The name of the field that is being read, with the index of the item in a list. */
function pathIn({ fieldKind, name, localName }: DescField, target: Target): string {
  return fieldKind === "list" ? `${name}[${(target[localName] as unknown[]).length}]` : name;
}

function readUnknown(target: Target, tag: number, depth: number): void {
  const start = input.pos;
  skip(tag, state.recursionLimit - depth);
  if (state.keepsUnknown) keepUnknown(target, tag, start);
}

/** Keeps the value that has just been read, from the position after its tag. */
function keepUnknown(target: Target, tag: number, start: number): void {
  state.budget.spend(unknownFieldCost);
  const { pos } = input;
  input.pos = start;
  const field: UnknownField = { no: tag >>> 3, wireType: tag & 7, data: takeTo(pos) };
  const kept = target.$unknown as UnknownField[] | undefined;
  if (kept === undefined) target.$unknown = [field];
  else kept.push(field);
}

function planOf(desc: DescMessage): Plan {
  const known = plans.get(desc);
  if (known !== undefined) return known;
  const plan: Plan = { create: emptyMaker(desc), cost: elementCost(desc), fields: new Map() };
  // Before its fields are looked at, because a type may contain itself.
  plans.set(desc, plan);
  for (const field of desc.fields) addField(plan, field);
  return plan;
}

function addField({ fields }: Plan, desc: DescField): void {
  const add = (wireType: number, read: ValueSetter) => fields.set(tagOf(desc.number, wireType), { desc, read });
  switch (desc.fieldKind) {
    case "map":
      add(sized, entryReader(desc));
      return;
    case "list": {
      const { wireType, read } = itemCoding(desc);
      add(wireType, appender(desc.localName, read));
      if (wireType !== sized && wireType !== groupStart) add(sized, packedAppender(desc.localName, read));
      return;
    }
    case "message":
      add(desc.delimitedEncoding ? groupStart : sized, messageSetter(desc));
      return;
    case "enum":
      add(0, desc.enum.open ? setter(desc, readInt32) : closedEnumSetter(desc));
      return;
    case "scalar": {
      const { wireType, read } = scalarCoding(desc.scalar, desc);
      add(wireType, setter(desc, read));
    }
  }
}

/** How a value is on the wire. */
interface Coding {
  readonly wireType: number;
  readonly read: ValueReader;
}

function itemCoding(desc: DescField & { fieldKind: "list" }): Coding {
  if (desc.listKind === "message") {
    const wireType = desc.delimitedEncoding ? groupStart : sized;
    return { wireType, read: messageReader(desc.message, desc.delimitedEncoding ? desc.number : undefined) };
  }
  return desc.listKind === "enum" ? { wireType: 0, read: readInt32 } : scalarCoding(desc.scalar, desc);
}

function scalarCoding(scalar: ScalarType, field: DescField & { readonly utf8Validation?: boolean }): Coding {
  if (scalar === ScalarType.STRING && field.utf8Validation === false) {
    return { wireType: sized, read: readLenientString };
  }
  const coding = codings[scalar];
  if (!isLongAsString(field)) return coding;
  return { ...coding, read: (depth) => String(coding.read(depth)) };
}

const codings: Record<ScalarType, Coding> = {
  [ScalarType.STRING]: { wireType: sized, read: readString },
  [ScalarType.BYTES]: {
    wireType: sized,
    read: () => {
      state.budget.spend(bytesCost);
      return readBytes();
    },
  },
  [ScalarType.BOOL]: { wireType: 0, read: readBool },
  [ScalarType.INT32]: { wireType: 0, read: readInt32 },
  [ScalarType.UINT32]: { wireType: 0, read: readUint32 },
  [ScalarType.SINT32]: { wireType: 0, read: readSint32 },
  [ScalarType.INT64]: { wireType: 0, read: readInt64 },
  [ScalarType.UINT64]: { wireType: 0, read: readUint64 },
  [ScalarType.SINT64]: { wireType: 0, read: readSint64 },
  [ScalarType.DOUBLE]: { wireType: 1, read: readDouble },
  [ScalarType.FIXED64]: { wireType: 1, read: readFixed64 },
  [ScalarType.SFIXED64]: { wireType: 1, read: readSfixed64 },
  [ScalarType.FLOAT]: { wireType: 5, read: readFloat },
  [ScalarType.FIXED32]: { wireType: 5, read: readFixed32 },
  [ScalarType.SFIXED32]: { wireType: 5, read: readSfixed32 },
};

function setter({ localName: name, oneof }: DescField, read: ValueReader): ValueSetter {
  if (oneof !== undefined) {
    return (target, depth) => {
      target[oneof.localName] = { case: name, value: read(depth) };
    };
  }
  return (target, depth) => {
    target[name] = read(depth);
  };
}

/** Numbers that a closed enum does not have become unknown fields. */
function closedEnumSetter(desc: DescField & { enum: DescEnum }): ValueSetter {
  const numbers = new Set(desc.enum.values.map(({ number }) => number));
  let value = 0;
  const set = setter(desc, () => value);
  return (target, depth) => {
    const start = input.pos;
    value = readInt32();
    if (numbers.has(value)) set(target, depth);
    else if (state.keepsUnknown) keepUnknown(target, tagOf(desc.number, 0), start);
  };
}

function appender(name: string, read: ValueReader): ValueSetter {
  return (target, depth) => {
    state.budget.spend(1);
    (target[name] as unknown[]).push(read(depth));
  };
}

function packedAppender(name: string, read: ValueReader): ValueSetter {
  return (target, depth) => {
    const list = target[name] as unknown[];
    const end = readEnd();
    while (input.pos < end) {
      state.budget.spend(1);
      const item = read(depth);
      if (input.pos > end) throw pastEnd("list");
      list.push(item);
    }
  };
}

/** A message that comes again is merged into the one before. */
function messageSetter(desc: DescField & { fieldKind: "message" }): ValueSetter {
  const { localName: name, oneof } = desc;
  const read = localReader(desc);
  if (oneof !== undefined) {
    return (target, depth) => {
      const chosen = target[oneof.localName] as { case?: string; value?: unknown };
      target[oneof.localName] = { case: name, value: read(depth, chosen.case === name ? chosen.value : undefined) };
    };
  }
  return (target, depth) => {
    target[name] = read(depth, target[name]);
  };
}

/** Reads a message in the form that its field has it in: a new one, or more of the one before. */
type LocalReader = (depth: number, before: unknown) => unknown;

/** The value of a wrapper stands for the message unless it is in a oneof. */
function localReader(field: DescField & { fieldKind: "message" }): LocalReader {
  const { message: desc, delimitedEncoding, number } = field;
  const merge = messageMerger(desc, delimitedEncoding ? number : undefined);
  if (isWrapperDesc(desc) && field.oneof === undefined) {
    const { create } = planOf(desc);
    return (depth, value) => {
      const before = value === undefined ? undefined : Object.assign(create(), { value });
      return (merge(depth, before) as Message & { value: unknown }).value;
    };
  }
  if (isJsonStruct(desc) && field.parent.typeName !== "google.protobuf.Value") {
    return (depth, before) => readJsonObject(depth, before as JsonObject | undefined);
  }
  return (depth, before) => merge(depth, before as Message | undefined);
}

/** Reads a message as an item of a list or as a value of a map. */
function messageReader(desc: DescMessage, groupNumber: number | undefined): ValueReader {
  const merge = messageMerger(desc, groupNumber);
  if (isJsonStruct(desc)) return (depth) => readJsonObject(depth, undefined);
  return (depth) => merge(depth, undefined);
}

/** Reads a message: a new one, or more fields of the one before. */
type MessageMerger = (depth: number, before: Message | undefined) => Message;

/** @param groupNumber the number of the field, if the message is a group */
function messageMerger(desc: DescMessage, groupNumber: number | undefined): MessageMerger {
  const plan = planOf(desc);
  if (groupNumber === undefined) {
    return (depth, before) => {
      const message = before ?? createWithin(plan);
      readFields(plan, message, readEnd(), noGroup, depth + 1);
      return message;
    };
  }
  const endTag = tagOf(groupNumber, groupEnd);
  return (depth, before) => {
    const message = before ?? createWithin(plan);
    readFields(plan, message, input.length, endTag, depth + 1);
    return message;
  };
}

function createWithin({ create, cost }: Plan): Message {
  state.budget.spend(cost);
  return create();
}

/** Where Struct is the type of a field, the field holds a JSON object. */
function isJsonStruct({ typeName }: DescMessage): boolean {
  return typeName === "google.protobuf.Struct";
}

/** Reads an entry of a map, which is a message with the fields `key = 1` and `value = 2`. */
function entryReader(desc: DescField & { fieldKind: "map" }): ValueSetter {
  const key = scalarCoding(desc.mapKey, desc);
  const keyTag = tagOf(1, key.wireType);
  const zeroKey = desc.mapKey === ScalarType.STRING ? "" : desc.mapKey === ScalarType.BOOL ? "false" : "0";
  const value = entryValue(desc);
  const valueTag = tagOf(2, value.wireType);
  return (target, depth) => {
    const end = readEnd();
    let name = zeroKey;
    let item: unknown;
    try {
      while (input.pos < end) {
        const tag = readTag();
        if (tag === keyTag) name = String(key.read(depth));
        else if (tag === valueTag) item = value.read(depth);
        else skip(tag, state.recursionLimit - depth);
      }
      if (input.pos > end) throw pastEnd("entry");
    } catch (error) {
      throw error instanceof BinaryError ? error.within(`[${quote(name)}]`) : error;
    }
    state.budget.spend(entryCost);
    setEntry(target[desc.localName] as Target, name, item ?? value.empty());
  };
}

/** How the values of a map are on the wire, and what stands for one that is absent. */
function entryValue(desc: DescField & { fieldKind: "map" }): Coding & { readonly empty: () => unknown } {
  switch (desc.mapKind) {
    case "message": {
      const plan = planOf(desc.message);
      const isJson = isJsonStruct(desc.message);
      return {
        wireType: sized,
        read: messageReader(desc.message, undefined),
        empty: () => (isJson ? {} : createWithin(plan)),
      };
    }
    case "enum": {
      const first = desc.enum.values[0]?.number ?? 0;
      return { wireType: 0, read: readInt32, empty: () => first };
    }
    case "scalar": {
      const { scalar } = desc;
      return { ...scalarCoding(scalar, desc), empty: () => scalarZeroValue(scalar, false) };
    }
  }
}
