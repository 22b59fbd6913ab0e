// Parses the text of one path variable or query parameter as the value of a field: JSON of proto3 without the quotes
// (https://protobuf.dev/programming-guides/json/). write/print.ts prints it.
import { create, type DescEnum, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { FieldMaskSchema, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { TextForm } from "../codec/scalar-text.js";
import { durationText, expectedOfEnum, fieldMaskText, timestampText, toSnakeCase } from "../codec/well-known-text.js";
import { isTextMessage } from "./fields.js";
import { scalarLeaf } from "./scalar-leaf.js";

const leaves = new WeakMap<DescField, TextForm>();

/** The text format of a field's values; of its items, if it is a list. Undefined if they have none. */
export function leafOf(field: DescField): TextForm | undefined {
  if (field.fieldKind === "map") return undefined;
  const known = leaves.get(field);
  if (known !== undefined) return known;
  const leaf = createLeaf(field);
  if (leaf !== undefined) leaves.set(field, leaf);
  return leaf;
}

function createLeaf(field: Exclude<DescField, { fieldKind: "map" }>): TextForm | undefined {
  if (field.scalar !== undefined) return scalarLeaf(field.scalar);
  if (field.enum !== undefined) return enumLeaf(field.enum);
  if (field.message === undefined || !isTextMessage(field.message)) return undefined;
  return isWrapperDesc(field.message) ? wrapperLeaf(field.message) : messageLeaf(field.message);
}

/** Names, and numbers: any for an open enumeration, those that have a name for a closed one. */
function enumLeaf(desc: DescEnum): TextForm {
  const numbers = new Map(desc.values.map(({ name, number }) => [name, number]));
  const number = scalarLeaf(ScalarType.INT32);
  const parseNumber = (text: string) => {
    const value = number.parse(text) as number | undefined;
    return desc.open || (value !== undefined && desc.value[value] !== undefined) ? value : undefined;
  };
  return {
    expected: expectedOfEnum(desc),
    parse: (text) => numbers.get(text) ?? parseNumber(text),
  };
}

function wrapperLeaf(desc: DescMessage & { fields: readonly DescField[] }): TextForm {
  const field = desc.fields[0];
  if (field?.fieldKind !== "scalar") throw new Error(`${desc.typeName} is no wrapper`);
  const inner = scalarLeaf(field.scalar);
  return {
    expected: inner.expected,
    parse: (text) => {
      const value = inner.parse(text);
      if (value === undefined) return undefined;
      const message = reflect(desc);
      message.set(field, value);
      return message;
    },
  };
}

function messageLeaf(desc: DescMessage): TextForm | undefined {
  const form = messageForms[desc.typeName];
  if (form === undefined) return undefined;
  return {
    expected: form.expected,
    parse: (text) => {
      const message = form.parse(text);
      return message && reflect(desc, message);
    },
  };
}

const messageForms: Readonly<Record<string, TextForm<Message>>> = {
  "google.protobuf.Duration": durationText,
  "google.protobuf.FieldMask": { ...fieldMaskText, parse: parseMask },
  "google.protobuf.Timestamp": timestampText,
};

/** Paths may also have proto names. */
function parseMask(text: string): Message | undefined {
  const paths = text === "" ? [] : text.split(",");
  if (!paths.every((path) => /^(?:\*|[a-z_]\w*(?:\.(?:\*|\w+))*)$/.test(path))) return undefined;
  return create(FieldMaskSchema, { paths: paths.map((path) => (path.includes("_") ? path : toSnakeCase(path))) });
}
