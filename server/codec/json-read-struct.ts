// Reads google.protobuf.Struct, Value and ListValue, whose JSON is any JSON: as messages, and as the plain objects that
// fields of type Struct have.
import { create, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import {
  type ListValue,
  ListValueSchema,
  type Struct,
  StructSchema,
  type Value,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { containerCost, elementCost } from "./element-limit.js";
import { expectClose, isNumberNext, peek, readText, signs, take, takeBool, takeNull } from "./json-input.js";
import { within } from "./json-read-error.js";
import { readEntries, sameKey } from "./json-read-fields.js";
import { scalarTypeReader } from "./json-read-scalar.js";
import { rejectValue } from "./json-read-skip.js";
import { checkDepth, spend } from "./json-read-state.js";
import type { Target } from "./values.js";

const valueCost = elementCost(ValueSchema);

/** Reads a Struct as a message. */
export function readStruct(depth: number): Struct {
  const struct = create(StructSchema);
  readEntries(struct.fields as Target, sameKey, readValue, depth);
  return struct;
}

/** Reads a ListValue as a message. */
export function readListValue(depth: number): ListValue {
  const list = create(ListValueSchema);
  readItems(list.values, readValue as (depth: number) => Value, depth);
  return list;
}

/** Reads a Value, which is one level deeper than what has it. */
export function readValue(depth: number): Value {
  checkDepth(depth + 1);
  spend(valueCost);
  return { $typeName: "google.protobuf.Value", kind: readKind(depth + 1) };
}

function readKind(depth: number): Value["kind"] {
  switch (peek()) {
    case signs.openObject:
      return { case: "structValue", value: readStruct(depth) };
    case signs.openList:
      return { case: "listValue", value: readListValue(depth) };
  }
  const value = readLeaf();
  switch (typeof value) {
    case "string":
      return { case: "stringValue", value };
    case "number":
      return { case: "numberValue", value };
    case "boolean":
      return { case: "boolValue", value };
    default:
      return { case: "nullValue", value: 0 };
  }
}

const readNumber = scalarTypeReader(ScalarType.DOUBLE) as () => number;

/** Reads a value that is no object and no array. */
function readLeaf(): string | number | boolean | null {
  if (peek() === signs.quote) return readText();
  if (isNumberNext()) return readNumber();
  return takeNull() ? null : (takeBool() ?? rejectValue("a value"));
}

/** Reads a Struct as a field has it. */
export function readPlainObject(depth: number): { [key: string]: JsonValue } {
  const object = {};
  readEntries(object, sameKey, readPlain, depth);
  return object;
}

function readPlain(depth: number): JsonValue {
  checkDepth(depth + 1);
  switch (peek()) {
    case signs.openObject:
      spend(containerCost);
      return readPlainObject(depth + 1);
    case signs.openList: {
      spend(containerCost);
      const list: JsonValue[] = [];
      readItems(list, readPlain, depth + 1);
      return list;
    }
    default:
      return readLeaf();
  }
}

function readItems<Item>(list: Item[], read: (depth: number) => Item, depth: number): void {
  if (!take(signs.openList)) rejectValue("an array");
  if (take(signs.closeList)) return;
  try {
    do {
      spend(1);
      list.push(read(depth));
    } while (take(signs.comma));
  } catch (reason) {
    throw within(reason, `[${list.length}]`);
  }
  expectClose(signs.closeList);
}
