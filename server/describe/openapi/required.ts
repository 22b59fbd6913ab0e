// Says which fields a request must have, by google.api.field_behavior or the rules of protovalidate.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { behaviorOf } from "./behavior.js";
import { constraintsOf } from "./constraints.js";

/** Whether a message that is sent must have the field. */
export function isRequired(field: DescField): boolean {
  return behaviorOf(field).isRequired || constraintsOf(field).isRequired;
}

const known = new WeakMap<DescMessage, boolean>();

/** Whether a message that is sent, or one within it, must have fields that one received need not have. */
export function isStricter(desc: DescMessage): boolean {
  let isFound = known.get(desc);
  if (isFound === undefined) {
    isFound = [...reach(desc)].some((message) => message.fields.some(isRequired));
    known.set(desc, isFound);
  }
  return isFound;
}

/** The message and all that can be within it. */
function reach(desc: DescMessage): ReadonlySet<DescMessage> {
  const found = new Set([desc]);
  for (const message of found) {
    for (const field of message.fields) if (field.message !== undefined) found.add(field.message);
  }
  return found;
}
