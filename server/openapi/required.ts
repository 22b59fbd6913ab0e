// Says which fields a request must have, by proto2's `required`, google.api.field_behavior, the rules of protovalidate, or options of
// grpc-gateway.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import type { Claims } from "../rest/claims.js";
import { isNested } from "../rest/fields.js";
import { behaviorOf } from "./behavior.js";
import { constraintsOf } from "./constraints.js";
import { isRequiredByOption } from "./gateway-schema-options.js";

/** Whether a message that is sent must have the field. */
export function isRequired(field: DescField): boolean {
  const isLegacyRequired = field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
  if (isLegacyRequired) return true;
  return behaviorOf(field).isRequired || constraintsOf(field).isRequired || isRequiredByOption(field);
}

/** Whether a message that is sent must have a field that is not fed from elsewhere. */
export function hasRequired(desc: DescMessage, claims: ReadonlyMap<DescField, Claims>): boolean {
  return desc.fields.some((field) => isRequiredBeside(field, claims.get(field)));
}

/** Whether a message that is sent must have the field, of which `claims` are fed from elsewhere. */
export function isRequiredBeside(field: DescField, claims: Claims | undefined): boolean {
  if (claims === "whole") return false;
  return claims !== undefined && isNested(field) ? hasRequired(field.message, claims) : isRequired(field);
}

const known = new WeakMap<DescMessage, boolean>();

/** Whether a message that is sent, or one within it, must have fields that one received need not have. */
export function isStricter(desc: DescMessage): boolean {
  const isKnown = known.get(desc);
  if (isKnown !== undefined) return isKnown;
  const messages = reach(desc);
  const strict = spread(messages);
  for (const message of messages) known.set(message, strict.has(message));
  return strict.has(desc);
}

/** The message and all that can be within it, but for what is only within a message that is known. */
function reach(desc: DescMessage): ReadonlySet<DescMessage> {
  const found = new Set([desc]);
  for (const message of found) {
    if (!known.has(message)) for (const part of partsOf(message)) found.add(part);
  }
  return found;
}

/** Of such messages those that must have fields, and those that can have one of them within. */
function spread(messages: ReadonlySet<DescMessage>): ReadonlySet<DescMessage> {
  const holders = new Map<DescMessage, DescMessage[]>();
  for (const message of messages) {
    for (const part of partsOf(message)) {
      const holding = holders.get(part);
      if (holding === undefined) holders.set(part, [message]);
      else holding.push(message);
    }
  }
  const strict = new Set([...messages].filter((message) => known.get(message) ?? message.fields.some(isRequired)));
  for (const message of strict) for (const holder of holders.get(message) ?? []) strict.add(holder);
  return strict;
}

function partsOf(desc: DescMessage): ReadonlySet<DescMessage> {
  return new Set(desc.fields.flatMap((field) => field.message ?? []));
}
