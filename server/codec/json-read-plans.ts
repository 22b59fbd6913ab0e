// Prepares the reading of messages from JSON: a function for each type and each field
// (https://protobuf.dev/programming-guides/json/).
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { containerCost, elementCost } from "./element-limit.js";
import { emptyMaker } from "./empty.js";
import { takeNull } from "./json-input.js";
import { anyReader } from "./json-read-any.js";
import { memberSegment, within } from "./json-read-error.js";
import { type FieldPlan, interpretField, planField } from "./json-read-fields.js";
import { planOf, planReader } from "./json-read-message.js";
import { enumReader, scalarReader, type ValueReader } from "./json-read-scalar.js";
import { typeName as typeMember } from "./json-read-skip.js";
import { checkDepth, spend } from "./json-read-state.js";
import { readPlainObject } from "./json-read-struct.js";
import { wellKnownReader, wrappedReader } from "./json-read-well-known.js";
import type { Target } from "./values.js";

const readers = new WeakMap<DescMessage, ValueReader>();

/** Returns the reader of a message that is no field: a wrapper may be null. */
export function rootReader(desc: DescMessage): ValueReader {
  const read = messageReader(desc);
  if (!isWrapperDesc(desc)) return read;
  const create = emptyMaker(desc);
  return (depth) => (takeNull() ? create() : read(depth));
}

/** Returns the reader of a message whose only JSON is that of one field. */
export function fieldRootReader(field: DescField): ValueReader {
  const create = emptyMaker(field.parent);
  const read = interpretField(fieldPlan(field));
  return (depth) => {
    const message = create();
    try {
      read(message as unknown as Target, depth + 1);
    } catch (reason) {
      throw within(reason, memberSegment(field.name));
    }
    return message;
  };
}

/** Returns the reader of a message one level deeper than what has it. */
function messageReader(desc: DescMessage): ValueReader {
  const known = readers.get(desc);
  if (known !== undefined) return known;
  const reader = createMessageReader(desc);
  readers.set(desc, reader);
  return reader;
}

function createMessageReader(desc: DescMessage): ValueReader {
  const read = desc.typeName === "google.protobuf.Any" ? readAny : wellKnownReader(desc);
  if (read === undefined) return planReader(planOf(desc, fieldPlan));
  return nested(read, elementCost(desc));
}

const readAny = anyReader({
  messageReader: rootReader,
  typedReader: (desc) => planReader(planOf(desc, fieldPlan), typeMember),
});

/** Reads a value that counts as a message. */
function nested(read: ValueReader, cost: number): ValueReader {
  return (depth) => {
    checkDepth(depth + 1);
    spend(cost);
    return read(depth + 1);
  };
}

function fieldPlan(field: DescField): FieldPlan {
  return planField(field, valueReader(field));
}

function valueReader(field: DescField): ValueReader {
  if (field.enum !== undefined) return enumReader(field.enum);
  if (field.message === undefined) return scalarReader(field);
  const { message: desc, parent } = field;
  // protobuf-es keeps a Struct as a plain object, and a wrapper as its value, where they are fields.
  const isPlain = desc.typeName === "google.protobuf.Struct" && parent.typeName !== "google.protobuf.Value";
  if (isPlain) return nested(readPlainObject, containerCost);
  const isUnwrapped = field.fieldKind === "message" && field.oneof === undefined && isWrapperDesc(desc);
  return isUnwrapped ? nested(wrappedReader(desc), 0) : messageReader(desc);
}
