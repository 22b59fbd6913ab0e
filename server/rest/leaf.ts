// Turns the text of one path variable or query parameter into the value of a field and back: JSON of proto3 without the
// quotes (https://protobuf.dev/programming-guides/json/).
import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type Message,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { protoSnakeCase, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { isTextMessage } from "./fields.js";
import { type Leaf, scalarLeaf } from "./scalar-leaf.js";

const leaves = new WeakMap<DescField, Leaf>();

/** How the values of a field are written as text; those of its items, if it is a list. Undefined if they have no text. */
export function leafOf(field: DescField): Leaf | undefined {
  if (field.fieldKind === "map") return undefined;
  const known = leaves.get(field);
  if (known !== undefined) return known;
  const leaf = createLeaf(field);
  if (leaf !== undefined) leaves.set(field, leaf);
  return leaf;
}

function createLeaf(field: Exclude<DescField, { fieldKind: "map" }>): Leaf | undefined {
  if (field.scalar !== undefined) return scalarLeaf(field.scalar);
  if (field.enum !== undefined) return enumLeaf(field.enum);
  if (field.message === undefined || !isTextMessage(field.message)) return undefined;
  return isWrapperDesc(field.message) ? wrapperLeaf(field.message) : messageLeaf(field.message);
}

/** Names, and numbers: any for an open enumeration, those that have a name for a closed one. */
function enumLeaf(desc: DescEnum): Leaf {
  const numbers = new Map(desc.values.map(({ name, number }) => [name, number]));
  const number = scalarLeaf(ScalarType.INT32);
  const parseNumber = (text: string) => {
    const value = number.parse(text) as number | undefined;
    return desc.open || (value !== undefined && desc.value[value] !== undefined) ? value : undefined;
  };
  return {
    expected: `a name of ${desc.typeName} or its number`,
    parse: (text) => numbers.get(text) ?? parseNumber(text),
    print: (value) => desc.value[value as number]?.name ?? String(value),
  };
}

function wrapperLeaf(desc: DescMessage & { fields: readonly DescField[] }): Leaf {
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
    print: (value) => inner.print((value as ReflectMessage).get(field)),
  };
}

function messageLeaf(desc: DescMessage): Leaf | undefined {
  const form = messageForms[desc.typeName];
  if (form === undefined) return undefined;
  return {
    expected: form.expected,
    parse: (text) => attempt(() => reflect(desc, form.parse(desc, text))),
    print: (value) => attempt(() => toJson(desc, (value as ReflectMessage).message) as string),
  };
}

const messageForms: Readonly<Record<string, { expected: string; parse(desc: DescMessage, text: string): Message }>> = {
  "google.protobuf.Duration": {
    expected: 'seconds with at most nine decimals and "s", such as 1.5s',
    // fromJson would take "1s" for the whole of "1sx".
    parse: (desc, text) => fromJson(desc, /^[-\d.]+s$/.test(text) ? text : null),
  },
  "google.protobuf.FieldMask": {
    expected: "field paths with commas between",
    parse: (desc, text) => create(desc, { paths: text === "" ? [] : text.split(",").map(parseMaskPath) }),
  },
  "google.protobuf.Timestamp": {
    expected: "an RFC 3339 time, such as 2024-02-29T12:00:00Z",
    parse: (desc, text) => fromJson(desc, text),
  },
};

/** A path may be spelled as in the proto, although the JSON of a FieldMask is in camel case. */
function parseMaskPath(path: string): string {
  if (!/^(?:\*|[a-z_]\w*(?:\.(?:\*|\w+))*)$/.test(path)) throw new Error(`${path} is no field path`);
  return path.includes("_") ? path : protoSnakeCase(path);
}

/** What the protobuf library throws here says no more than that the text, or the message, has no such form. */
function attempt<T>(convert: () => T): T | undefined {
  try {
    return convert();
  } catch {
    return undefined;
  }
}
