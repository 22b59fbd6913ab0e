// Says how the fields of a type are read, each by the tag before it: for the interpreter of plans and for the code that is
// made of them. https://protobuf.dev/programming-guides/encoding/
import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { scalarZeroValue } from "@bufbuild/protobuf/reflect";
import {
  BinaryError,
  isBefore,
  isPast,
  position,
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
  readSharedString,
  readSint32,
  readSint64,
  readString,
  readTag,
  readUint32,
  readUint64,
  skip,
} from "./binary-input.js";
import { checkDepth, depthLeft, keepUnknown, pastEnd } from "./binary-read-state.js";
import { readJsonObject } from "./binary-read-struct.js";
import { bytesCost, elementCost, spendElements } from "./element-limit.js";
import { isLongAsString } from "./json-facts.js";
import { isJsonStruct, isUnwrapped, type Target, tagOf, wire } from "./values.js";

/**
 * Reads a value.
 *
 * @param depth that of the message that has it
 * @param before the value that the field has already, if values are merged
 */
export type ValueReader = (depth: number, before?: unknown) => unknown;

/** Reads the messages of one type. The depths are those of the messages that have them. */
export interface MessageReader {
  /** Makes an empty message, and counts it. */
  create(): Message;
  /** Reads a message with its length before it: a new one, or more fields of the one before. */
  readSized(depth: number, before?: Message): Message;
  /** Does the same up to a tag. */
  readGroup(depth: number, before: Message | undefined, endTag: number): Message;
}

/** How values of a field are read. */
export interface ValuePlan {
  readonly wireType: number;
  readonly read: ValueReader;
  /** Whether a value that comes again is merged into the one before. */
  readonly isMerged: boolean;
  /** Reads the values, if they are messages. `read` calls it. */
  readonly message?: MessageReader;
  /** The tag after a group. */
  readonly endTag?: number;
}

/** How a field is read that has one of the wire types that it may have. */
export type FieldPlan = {
  readonly desc: DescField;
  readonly tag: number;
  /** The property that has the value, or the oneof. */
  readonly name: string;
  readonly value: ValuePlan;
} & (
  | { readonly kind: "append" | "packed" }
  /** @param isInherited whether the property is that of a prototype when the field is not set */
  | { readonly kind: "set"; readonly isInherited: boolean }
  /** @param case the name of the field in its oneof */
  | { readonly kind: "choose"; readonly case: string }
  /** A closed enum. `store` reads and sets the value. */
  | { readonly kind: "closed"; readonly store: Store }
  | {
      readonly kind: "map";
      readonly keyTag: number;
      readonly readKey: () => string;
      readonly zeroKey: string;
      readonly valueTag: number;
      readonly createEmpty: () => unknown;
    }
);

/** Reads the value of a field into a message. */
export type Store = (target: Target, depth: number) => void;

type ReaderOf = (desc: DescMessage) => MessageReader;

/** @param readerOf gives the reader of a message type */
export function planFields(desc: DescMessage, readerOf: ReaderOf): FieldPlan[] {
  const prototype: object = Object.getPrototypeOf(create(desc));
  return desc.fields.flatMap((field) => planField(field, readerOf, field.localName in prototype));
}

function planField(desc: DescField, readerOf: ReaderOf, isInherited: boolean): FieldPlan[] {
  const { localName: name, number, oneof } = desc;
  const value = planValue(desc, readerOf);
  const base = { desc, name, tag: tagOf(number, value.wireType), value };
  if (desc.fieldKind === "map") return [planMap(desc, value, readerOf)];
  if (desc.fieldKind === "list") {
    const item: FieldPlan = { ...base, kind: "append" };
    if (value.wireType === wire.sized || value.wireType === wire.group) return [item];
    return [item, { ...base, kind: "packed", tag: tagOf(number, wire.sized) }];
  }
  if (desc.fieldKind === "enum" && !desc.enum.open) {
    return [{ ...base, kind: "closed", store: closedEnumStore(desc, base.tag) }];
  }
  if (oneof !== undefined) return [{ ...base, kind: "choose", name: oneof.localName, case: name }];
  return [{ ...base, kind: "set", isInherited }];
}

function planMap(desc: DescField & { fieldKind: "map" }, value: ValuePlan, readerOf: ReaderOf): FieldPlan {
  const { localName: name, number, mapKey } = desc;
  const { wireType, read } = planScalar(mapKey, desc);
  return {
    kind: "map",
    desc,
    name,
    tag: tagOf(number, wire.sized),
    value,
    keyTag: tagOf(1, wireType),
    readKey: read === readString ? readSharedString : () => String(read(0)),
    zeroKey: String(scalarZeroValue(mapKey, false)),
    valueTag: tagOf(2, value.wireType),
    createEmpty: emptyValue(desc, readerOf),
  };
}

/** Returns what makes the value of an entry that has none. */
function emptyValue(desc: DescField & { fieldKind: "map" }, readerOf: ReaderOf): () => unknown {
  switch (desc.mapKind) {
    case "message": {
      const message = readerOf(desc.message);
      return isJsonStruct(desc) ? () => ({}) : () => message.create();
    }
    case "enum": {
      const first = desc.enum.values[0]?.number ?? 0;
      return () => first;
    }
    case "scalar": {
      const { scalar } = desc;
      return () => scalarZeroValue(scalar, false);
    }
  }
}

function planValue(field: DescField, readerOf: ReaderOf): ValuePlan {
  const { message: desc, number } = field;
  if (desc === undefined) return planScalar(field.scalar ?? ScalarType.INT32, field);
  if (isJsonStruct(field)) {
    const read: ValueReader = (depth, before) => readJsonObject(depth, before as JsonObject | undefined);
    return { wireType: wire.sized, isMerged: true, read };
  }
  if (isUnwrapped(field)) return planWrapped(desc);
  const message = readerOf(desc);
  if (!("delimitedEncoding" in field) || !field.delimitedEncoding) {
    const read: ValueReader = (depth, before) => message.readSized(depth, before as Message | undefined);
    return { wireType: wire.sized, isMerged: true, read, message };
  }
  const endTag = tagOf(number, wire.groupEnd);
  const read: ValueReader = (depth, before) => message.readGroup(depth, before as Message | undefined, endTag);
  return { wireType: wire.group, isMerged: true, read, message, endTag };
}

/** Reads a wrapper of which only the value is kept. */
function planWrapped(desc: DescMessage): ValuePlan {
  const [field] = desc.fields;
  if (field?.scalar === undefined) throw new Error(`${desc} is no wrapper`);
  const { scalar } = field;
  const cost = elementCost(desc);
  const value = planScalar(scalar, field);
  const valueTag = tagOf(1, value.wireType);
  const read: ValueReader = (depth, before) => {
    if (before === undefined) spendElements(cost);
    const end = readEnd();
    checkDepth(depth + 1);
    let found: unknown = before ?? scalarZeroValue(scalar, false);
    let tag = 0;
    try {
      while (isBefore(end)) {
        tag = 0;
        tag = readTag();
        if (tag === valueTag) found = value.read(depth + 1);
        else skipUnknown(tag, depth + 1);
      }
      if (isPast(end)) throw pastEnd("message");
    } catch (error) {
      throw tag === valueTag && error instanceof BinaryError ? error.within("value") : error;
    }
    return found;
  };
  return { wireType: wire.sized, isMerged: true, read };
}

/** Passes over a field that nothing keeps, although it counts. */
function skipUnknown(tag: number, depth: number): void {
  const start = position();
  skip(tag, depthLeft(depth));
  keepUnknown({}, tag, start);
}

/** Numbers that a closed enum does not have become unknown fields. */
function closedEnumStore(desc: DescField & { enum: DescEnum }, tag: number): Store {
  const { localName: name, oneof } = desc;
  const numbers = new Set(desc.enum.values.map(({ number }) => number));
  return (target) => {
    const start = position();
    const value = readInt32();
    if (!numbers.has(value)) keepUnknown(target, tag, start);
    else if (oneof === undefined) target[name] = value;
    else target[oneof.localName] = { case: name, value };
  };
}

function planScalar(scalar: ScalarType, field: DescField & { readonly utf8Validation?: boolean }): ValuePlan {
  const isLenient = scalar === ScalarType.STRING && field.utf8Validation === false;
  const { wireType, read } = isLenient ? lenientString : scalars[scalar];
  return { wireType, isMerged: false, read: isLongAsString(field) ? (depth) => String(read(depth)) : read };
}

function readCountedBytes(): Uint8Array {
  spendElements(bytesCost);
  return readBytes();
}

interface Scalar {
  readonly wireType: number;
  readonly read: ValueReader;
}

const lenientString: Scalar = { wireType: wire.sized, read: readLenientString };

const scalars: Readonly<Record<ScalarType, Scalar>> = {
  [ScalarType.STRING]: { wireType: wire.sized, read: readString },
  [ScalarType.BYTES]: { wireType: wire.sized, read: readCountedBytes },
  [ScalarType.BOOL]: { wireType: wire.varint, read: readBool },
  [ScalarType.INT32]: { wireType: wire.varint, read: readInt32 },
  [ScalarType.UINT32]: { wireType: wire.varint, read: readUint32 },
  [ScalarType.SINT32]: { wireType: wire.varint, read: readSint32 },
  [ScalarType.INT64]: { wireType: wire.varint, read: readInt64 },
  [ScalarType.UINT64]: { wireType: wire.varint, read: readUint64 },
  [ScalarType.SINT64]: { wireType: wire.varint, read: readSint64 },
  [ScalarType.DOUBLE]: { wireType: wire.fixed64, read: readDouble },
  [ScalarType.FIXED64]: { wireType: wire.fixed64, read: readFixed64 },
  [ScalarType.SFIXED64]: { wireType: wire.fixed64, read: readSfixed64 },
  [ScalarType.FLOAT]: { wireType: wire.fixed32, read: readFloat },
  [ScalarType.FIXED32]: { wireType: wire.fixed32, read: readFixed32 },
  [ScalarType.SFIXED32]: { wireType: wire.fixed32, read: readSfixed32 },
};
