// Says how the fields of a type are written, in order of their numbers: for the interpreter of plans and for the code that is
// made of them. https://protobuf.dev/programming-guides/encoding/
import { create, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import {
  closeSized,
  openSized,
  rejectValue,
  writeBool,
  writeBytes,
  writeDouble,
  writeFixed32,
  writeFixed64,
  writeFloat,
  writeInt32,
  writeInt64,
  writeSfixed32,
  writeSfixed64,
  writeSint32,
  writeSint64,
  writeString,
  writeUint32,
  writeUint64,
  writeVarint,
} from "./binary-output.js";
import { writeJsonObject } from "./binary-write-struct.js";
import { isLongAsString } from "./json-facts.js";
import { hasImplicitPresence, isJsonStruct, isUnwrapped, tagOf, wire } from "./values.js";

/** Writes a value without its tag. @throws any error for a value that does not fit its type */
export type ValueWriter = (value: unknown) => void;

/** Writes the messages of one type. */
export interface MessageWriter {
  /** Writes the fields of a message. */
  write: ValueWriter;
  /** Writes a message with its length before it. */
  readonly writeSized: ValueWriter;
}

/** How values of a field are written. */
export interface ValuePlan {
  readonly wireType: number;
  readonly write: ValueWriter;
  /** Whether a field with implicit presence is not set when it has the value. */
  readonly isZero: (value: unknown) => boolean;
  /** Writes the values, if they are messages. `write` calls it. */
  readonly message?: MessageWriter;
  /** The tag after a group. */
  readonly endTag?: number;
}

/** How a field is written. */
export type FieldPlan = {
  /** The property that has the value, or the oneof. */
  readonly name: string;
  readonly tag: number;
  readonly value: ValuePlan;
} & (
  | { readonly kind: "implicit" | "list" | "packed" }
  /** @param isInherited whether the property is that of a prototype when the field is not set */
  | { readonly kind: "explicit"; readonly isInherited: boolean; readonly isRequired: boolean }
  /** @param case the name of the field in its oneof */
  | { readonly kind: "oneof"; readonly case: string }
  | { readonly kind: "map"; readonly keyTag: number; readonly writeKey: ValueWriter; readonly valueTag: number }
);

/** @param writerOf gives the writer of a message type */
export function planFields(desc: DescMessage, writerOf: (desc: DescMessage) => MessageWriter): FieldPlan[] {
  const prototype: object = Object.getPrototypeOf(create(desc));
  const fields = [...desc.fields].sort((a, b) => a.number - b.number);
  return fields.map((field) => planField(field, planValue(field, writerOf), field.localName in prototype));
}

function planField(field: DescField, value: ValuePlan, isInherited: boolean): FieldPlan {
  const { localName: name, number, oneof, presence } = field;
  const tag = tagOf(number, value.wireType);
  const sizedTag = tagOf(number, wire.sized);
  if (field.fieldKind === "map") {
    const key = keys[field.mapKey];
    const valueTag = tagOf(2, value.wireType);
    return { kind: "map", name, tag: sizedTag, value, keyTag: tagOf(1, key.wireType), writeKey: key.write, valueTag };
  }
  if (field.fieldKind === "list") {
    return field.packed ? { kind: "packed", name, tag: sizedTag, value } : { kind: "list", name, tag, value };
  }
  if (oneof !== undefined) return { kind: "oneof", name: oneof.localName, case: name, tag, value };
  if (hasImplicitPresence(field)) return { kind: "implicit", name, tag, value };
  const isRequired = presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
  return { kind: "explicit", name, tag, value, isInherited, isRequired };
}

function planValue(field: DescField, writerOf: (desc: DescMessage) => MessageWriter): ValuePlan {
  const { message: desc } = field;
  if (desc === undefined) {
    const value = scalars[field.scalar ?? ScalarType.INT32];
    return isLongAsString(field) ? textOf(value) : value;
  }
  const isZero = never;
  if (isJsonStruct(field)) return { wireType: wire.sized, isZero, write: writeJsonObject };
  if (isUnwrapped(field) && isWrapperDesc(desc)) {
    return { wireType: wire.sized, isZero, write: wrappedWriter(scalars[desc.fields[0].scalar]) };
  }
  const message = writerOf(desc);
  if (!("delimitedEncoding" in field) || !field.delimitedEncoding) {
    return { wireType: wire.sized, isZero, write: (value) => message.writeSized(value), message };
  }
  const endTag = tagOf(field.number, wire.groupEnd);
  const write: ValueWriter = (value) => {
    message.write(value);
    writeVarint(endTag);
  };
  return { wireType: wire.group, isZero, write, message, endTag };
}

/** Writes a wrapper of which there is only the value. */
function wrappedWriter({ wireType, isZero, write }: ValuePlan): ValueWriter {
  const tag = tagOf(1, wireType);
  return (value) => {
    const start = openSized(1);
    if (!isZero(value)) {
      writeVarint(tag);
      write(value);
    }
    closeSized(start, 1);
  };
}

const never = () => false;
const isNought = (value: unknown) => value === 0;
const isPlusNought = (value: unknown) => value === 0 && !Object.is(value, -0);
const isBigNought = (value: unknown) => value === 0n;

const scalars: Readonly<Record<ScalarType, ValuePlan>> = {
  [ScalarType.STRING]: { wireType: wire.sized, write: writeString, isZero: (value) => value === "" },
  [ScalarType.BYTES]: {
    wireType: wire.sized,
    write: writeBytes,
    isZero: (value) => value instanceof Uint8Array && value.length === 0,
  },
  [ScalarType.BOOL]: { wireType: wire.varint, write: writeBool, isZero: (value) => value === false },
  [ScalarType.INT32]: { wireType: wire.varint, write: writeInt32, isZero: isNought },
  [ScalarType.SINT32]: { wireType: wire.varint, write: writeSint32, isZero: isNought },
  [ScalarType.UINT32]: { wireType: wire.varint, write: writeUint32, isZero: isNought },
  [ScalarType.FIXED32]: { wireType: wire.fixed32, write: writeFixed32, isZero: isNought },
  [ScalarType.SFIXED32]: { wireType: wire.fixed32, write: writeSfixed32, isZero: isNought },
  [ScalarType.INT64]: { wireType: wire.varint, write: writeInt64, isZero: isBigNought },
  [ScalarType.SINT64]: { wireType: wire.varint, write: writeSint64, isZero: isBigNought },
  [ScalarType.UINT64]: { wireType: wire.varint, write: writeUint64, isZero: isBigNought },
  [ScalarType.FIXED64]: { wireType: wire.fixed64, write: writeFixed64, isZero: isBigNought },
  [ScalarType.SFIXED64]: { wireType: wire.fixed64, write: writeSfixed64, isZero: isBigNought },
  [ScalarType.DOUBLE]: { wireType: wire.fixed64, write: writeDouble, isZero: isPlusNought },
  [ScalarType.FLOAT]: { wireType: wire.fixed32, write: writeFloat, isZero: isPlusNought },
};

/** 64-bit integers that are text in messages. */
function textOf({ wireType, write }: ValuePlan): ValuePlan {
  return {
    wireType,
    write: (value) => write(typeof value === "string" && isInteger.test(value) ? BigInt(value) : rejectValue()),
    isZero: (value) => value === "0",
  };
}

const isInteger = /^-?\d{1,20}$/;

/** How a key, which is the name of a property, is written. */
interface KeyPlan {
  readonly wireType: number;
  readonly write: ValueWriter;
}

type KeyType = (DescField & { fieldKind: "map" })["mapKey"];

const keys = Object.fromEntries(
  Object.entries(scalars).map(([type, { wireType, write }]) => [type, { wireType, write: keyWriter(+type, write) }]),
) as Readonly<Record<KeyType, KeyPlan>>;

function keyWriter(type: ScalarType, write: ValueWriter): ValueWriter {
  switch (typeof scalarZeroValue(type, false)) {
    case "boolean":
      return (key) => write(key === "true" || (key !== "false" && rejectValue()));
    case "bigint":
      return (key) => write(BigInt(key as string));
    case "number":
      // biome-ignore lint/correctness/useParseIntRadix: protobuf-es takes hexadecimal keys, too
      return (key) => write(Number.parseInt(key as string));
    default:
      return write;
  }
}
