// Writes the fields of messages, each with its name in front: a function for each kind of field.
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

/**
 * Prepares the writing of a field.
 *
 * @param prefix what to write before the value
 * @param write writes one value
 * @param always whether to write values that a field without presence has when it is not set
 */
export function createFieldWriter(field: DescField, prefix: string, write: ValueWriter, always: boolean): FieldWriter {
  const { localName: name, oneof } = field;
  if (field.fieldKind === "list") return listWriter(name, prefix, write, always);
  if (field.fieldKind === "map") return mapWriter(name, prefix, write, always, keyWriters[field.mapKey]);
  if (oneof !== undefined) return oneofWriter(oneof.localName, name, prefix, write);
  if (hasImplicitPresence(field)) return implicitWriter(field, prefix, write, always);
  return explicitWriter(field, prefix, write);
}

function listWriter(name: string, prefix: string, write: ValueWriter, always: boolean): FieldWriter {
  return (source) => {
    const list = source[name] ?? [];
    if (!always && (list as unknown[]).length === 0) return "";
    return prefix + writeList(list, write);
  };
}

function mapWriter(
  name: string,
  prefix: string,
  write: ValueWriter,
  always: boolean,
  writeKey: ValueWriter,
): FieldWriter {
  return (source) => {
    const text = writeEntries(source[name] ?? {}, write, writeKey);
    return !always && text === "{}" ? "" : prefix + text;
  };
}

function oneofWriter(oneof: string, name: string, prefix: string, write: ValueWriter): FieldWriter {
  return (source) => {
    const chosen = source[oneof] as { case?: string; value?: unknown } | undefined;
    return chosen?.case === name ? prefix + write(chosen.value) : "";
  };
}

/** A field without presence is not set if it has its default value, which is the same JSON whatever it is made of. */
function implicitWriter(field: DescField, prefix: string, write: ValueWriter, always: boolean): FieldWriter {
  const { localName: name } = field;
  const zero = zeroOf(field);
  const zeroText = write(zero);
  const unset = always ? prefix + zeroText : "";
  return (source) => {
    const value = source[name];
    // -0 is not the default of a float.
    if (value === undefined || (value === zero && (value !== 0 || !Object.is(value, -0)))) return unset;
    const text = write(value);
    return text === zeroText ? unset : prefix + text;
  };
}

function zeroOf(field: DescField): unknown {
  if (field.fieldKind === "enum") return field.enum.values[0]?.number;
  return field.fieldKind === "scalar" ? scalarZeroValue(field.scalar, field.longAsString) : undefined;
}

function explicitWriter(field: DescField, prefix: string, write: ValueWriter): FieldWriter {
  const { localName: name } = field;
  const unset = field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED ? refuseUnset : () => "";
  // In these messages a field that is not set has its default value, from the prototype.
  const hasPrototype = field.parent.file.edition !== Edition.EDITION_PROTO3;
  return (source) => {
    const value = source[name];
    if (value === undefined || (hasPrototype && !Object.hasOwn(source, name))) return unset();
    return prefix + write(value);
  };
}

const refuseUnset = () => {
  throw new JsonWriteError("", "required field is not set");
};
