// Says how the fields of a type are written, each with its name in front: for the interpreter of plans and for the code that
// is made of them.
import type { DescField } from "@bufbuild/protobuf";
import { scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { Edition, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { writeEntries, writeList } from "./json-write-collections.js";
import { JsonWriteError } from "./json-write-error.js";
import { keyWriters } from "./json-write-key.js";
import type { ValueWriter } from "./json-write-scalar.js";
import { hasImplicitPresence, type Source } from "./values.js";

/** Writes the field of a message with its name, or "" where it is left out. @throws JsonWriteError */
export type FieldWriter = (source: Source) => string;

/** Writes messages of one type. */
export interface MessageWriter {
  /** Returns the JSON of a message. @throws JsonWriteError if it is no message of the type */
  write: ValueWriter;
  /** Puts the same where code of types puts JSON. */
  put: (message: unknown) => void;
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
  readonly prefix: string;
  readonly value: ValuePlan;
} & (
  | { readonly kind: "list"; readonly isAlways: boolean }
  | { readonly kind: "map"; readonly isAlways: boolean; readonly writeKey: ValueWriter }
  /** @param case the name of the field in its oneof */
  | { readonly kind: "oneof"; readonly case: string }
  /** @param zeroText the JSON of the value that the field has when it is not set */
  | { readonly kind: "implicit"; readonly isAlways: boolean; readonly zero: unknown; readonly zeroText: string }
  /** @param isInherited whether the property is that of a prototype when the field is not set */
  | { readonly kind: "explicit"; readonly isInherited: boolean; readonly isRequired: boolean }
);

/**
 * Plans the writing of a field.
 *
 * @param prefix what to write before the value
 * @param value how one value is written
 * @param isAlways whether to write values that a field without presence has when it is not set
 */
export function planField(field: DescField, prefix: string, value: ValuePlan, isAlways: boolean): FieldPlan {
  const { name, localName: property, oneof, presence } = field;
  const base = { name, property, prefix, value, isAlways };
  if (field.fieldKind === "list") return { ...base, kind: "list" };
  if (field.fieldKind === "map") return { ...base, kind: "map", writeKey: keyWriters[field.mapKey] };
  if (oneof !== undefined) return { ...base, kind: "oneof", property: oneof.localName, case: property };
  if (hasImplicitPresence(field)) {
    const zero = zeroOf(field);
    return { ...base, kind: "implicit", zero, zeroText: value.write(zero) };
  }
  // In these messages a field that is not set has its default value, from the prototype.
  const isInherited = field.parent.file.edition !== Edition.EDITION_PROTO3 || property in Object.prototype;
  return { ...base, kind: "explicit", isInherited, isRequired: presence === FeatureSet_FieldPresence.LEGACY_REQUIRED };
}

function zeroOf(field: DescField): unknown {
  if (field.fieldKind === "enum") return field.enum.values[0]?.number;
  return field.fieldKind === "scalar" ? scalarZeroValue(field.scalar, field.longAsString) : undefined;
}

/** Returns what writes a field by its plan. */
export function interpretField(plan: FieldPlan): FieldWriter {
  const { property, prefix, value } = plan;
  const { write } = value;
  switch (plan.kind) {
    case "list":
      return (source) => {
        const list = source[property] ?? [];
        if (!plan.isAlways && (list as unknown[]).length === 0) return "";
        return prefix + writeList(list, write);
      };
    case "map":
      return (source) => {
        const text = writeEntries(source[property] ?? {}, write, plan.writeKey);
        return !plan.isAlways && text === "{}" ? "" : prefix + text;
      };
    case "oneof":
      return (source) => {
        const chosen = source[property] as { case?: string; value?: unknown } | undefined;
        return chosen?.case === plan.case ? prefix + write(chosen.value) : "";
      };
    case "implicit":
      return implicitWriter(plan);
    case "explicit":
      return (source) => {
        const found = source[property];
        const isSet = found !== undefined && (!plan.isInherited || Object.hasOwn(source, property));
        if (isSet) return prefix + write(found);
        return plan.isRequired ? refuseUnset() : "";
      };
  }
}

/** A field without presence is not set if it has its default value, which is the same JSON whatever it is made of. */
function implicitWriter(plan: FieldPlan & { kind: "implicit" }): FieldWriter {
  const { property, prefix, zero, zeroText, value } = plan;
  const unset = plan.isAlways ? prefix + zeroText : "";
  return (source) => {
    const found = source[property];
    // -0 is not the default of a float.
    if (found === undefined || (found === zero && !Object.is(found, -0))) return unset;
    const text = value.write(found);
    return text === zeroText ? unset : prefix + text;
  };
}

/** Refuses a message without a field. */
export function refuseUnset(): never {
  throw new JsonWriteError("", "required field is not set");
}
