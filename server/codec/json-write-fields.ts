// Says how the fields of a type are written, each with its name in front: for the interpreter of plans and for the code that
// is made of them.
import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { Edition, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { isWritten, type Name, outputPosition, putName, rewindOutput, takeText } from "./json-output.js";
import { writeEntries, writeList } from "./json-write-collections.js";
import { JsonWriteError } from "./json-write-error.js";
import { keyWriters } from "./json-write-key.js";
import type { ValueWriter } from "./json-write-scalar.js";
import { hasImplicitPresence, type Source } from "./values.js";

/** Writes the field of a message with its name, or nothing where it is left out. @throws JsonWriteError */
export type FieldWriter = (source: Source) => void;

/** Writes messages of one type. */
export interface MessageWriter {
  /** @throws JsonWriteError if it is no message of the type */
  write: ValueWriter;
}

/** How the values of a field are written. */
export interface ValuePlan {
  readonly write: ValueWriter;
  /** Writes the values, if they are messages. `write` calls it. */
  readonly message?: MessageWriter;
}

/** How a field is written. */
export type FieldPlan = {
  /** The name in errors. */
  readonly name: string;
  /** The property that has the value, or the oneof. */
  readonly property: string;
  /** What is written before the value. */
  readonly prefix: Name;
  readonly value: ValuePlan;
} & (
  | { readonly kind: "list"; readonly isAlways: boolean }
  | { readonly kind: "map"; readonly isAlways: boolean; readonly writeKey: ValueWriter }
  /** @param case the name of the field in its oneof */
  | { readonly kind: "oneof"; readonly case: string }
  | ImplicitPlan
  /** @param isInherited whether the property is that of a prototype when the field is not set */
  | { readonly kind: "explicit"; readonly isInherited: boolean; readonly isRequired: boolean }
);

/** How a field without presence is written. It is not set if it has its default value. */
interface ImplicitPlan {
  readonly kind: "implicit";
  readonly isAlways: boolean;
  /** The value that the field has when it is not set. */
  readonly zero: unknown;
  /** Its JSON. */
  readonly zeroText: string;
  /** Whether other values have the same JSON: there are two ways to write 0 as `int64`, and no bytes are not equal. */
  readonly hasOtherZeros: boolean;
}

/**
 * Plans the writing of a field.
 *
 * @param prefix what to write before the value, as `encodeName` returns it
 * @param value how one value is written
 * @param isAlways whether to write values that a field without presence has when it is not set
 */
export function planField(field: DescField, prefix: Name, value: ValuePlan, isAlways: boolean): FieldPlan {
  const { name, localName: property, oneof, presence } = field;
  const base = { name, property, prefix, value, isAlways };
  if (field.fieldKind === "list") return { ...base, kind: "list" };
  if (field.fieldKind === "map") return { ...base, kind: "map", writeKey: keyWriters[field.mapKey] };
  if (oneof !== undefined) return { ...base, kind: "oneof", property: oneof.localName, case: property };
  if (hasImplicitPresence(field)) {
    const zero = zeroOf(field);
    const hasOtherZeros = field.scalar === undefined || !plainZeros.has(field.scalar);
    return { ...base, kind: "implicit", zero, zeroText: textOf(value.write, zero), hasOtherZeros };
  }
  // In these messages a field that is not set has its default value, from the prototype.
  const isInherited = field.parent.file.edition !== Edition.EDITION_PROTO3 || property in Object.prototype;
  return { ...base, kind: "explicit", isInherited, isRequired: presence === FeatureSet_FieldPresence.LEGACY_REQUIRED };
}

/** Types of which one value alone has the JSON of the default value. */
const plainZeros: ReadonlySet<ScalarType> = new Set([
  ...[ScalarType.STRING, ScalarType.BOOL, ScalarType.DOUBLE, ScalarType.UINT32, ScalarType.FIXED32],
  ...[ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32],
]);

function zeroOf(field: DescField): unknown {
  if (field.fieldKind === "enum") return field.enum.values[0]?.number;
  return field.fieldKind === "scalar" ? scalarZeroValue(field.scalar, field.longAsString) : undefined;
}

function textOf(write: ValueWriter, value: unknown): string {
  const start = outputPosition();
  write(value);
  return takeText(start);
}

/** Returns what writes a field by its plan. */
export function interpretField(plan: FieldPlan): FieldWriter {
  const { property, prefix, value } = plan;
  const { write } = value;
  switch (plan.kind) {
    case "list":
      return (source) => {
        const list = source[property] ?? [];
        if (!plan.isAlways && (list as unknown[]).length === 0) return;
        putName(prefix);
        writeList(list, write);
      };
    case "map":
      return (source) => {
        const map = source[property] ?? {};
        if (!plan.isAlways && isEmptyObject(map)) return;
        putName(prefix);
        writeEntries(map, write, plan.writeKey);
      };
    case "oneof":
      return (source) => {
        const chosen = source[property] as { case?: string; value?: unknown } | undefined;
        if (chosen?.case !== plan.case) return;
        putName(prefix);
        write(chosen.value);
      };
    case "implicit":
      return implicitWriter(plan);
    case "explicit":
      return (source) => {
        const found = source[property];
        if (found !== undefined && (!plan.isInherited || Object.hasOwn(source, property))) {
          putName(prefix);
          write(found);
        } else if (plan.isRequired) refuseUnset();
      };
  }
}

function isEmptyObject(map: unknown): boolean {
  return typeof map === "object" && map !== null && !Array.isArray(map) && Object.keys(map).length === 0;
}

function implicitWriter(plan: FieldPlan & ImplicitPlan): FieldWriter {
  const { property, prefix, zero, zeroText, hasOtherZeros, value, isAlways } = plan;
  return (source) => {
    const own = source[property];
    const found = own === undefined ? zero : own;
    // -0 is not the default of a float.
    if (!isAlways && found === zero && !Object.is(found, -0)) return;
    const start = outputPosition();
    putName(prefix);
    const valueStart = outputPosition();
    value.write(found);
    if (!isAlways && hasOtherZeros && isWritten(valueStart, zeroText)) rewindOutput(start);
  };
}

/** Refuses a message without a field. */
export function refuseUnset(): never {
  throw new JsonWriteError("", "required field is not set");
}
