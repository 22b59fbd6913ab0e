// Turns oneofs into the keyword `not` of JSON Schema: "not two members at once". Generators of clients ignore it, and so keep
// the whole message. They replace a message that has `oneOf` or `anyOf` by the alternatives.
import type { Schema } from "./types.js";

/** The members of one oneof, by their names in JSON. */
export interface Members {
  readonly names: readonly string[];
  /** Whether one of them must be set. */
  readonly isRequired: boolean;
}

/** More members than these have too many pairs to list: their number grows with the square. */
const maxPaired = 12;

/**
 * Says which members an object must not have.
 *
 * @param forbidden names of members that must not be set
 * @param oneofs members of which at most one may be set
 */
export function exclusions(forbidden: readonly string[], oneofs: readonly Members[]): Schema {
  const cases = [...forbidden.map((name) => has(name)), ...oneofs.flatMap(violationsOf)];
  if (cases.length === 0) return {};
  return { not: cases.length === 1 ? cases[0] : { anyOf: cases } };
}

function violationsOf({ names, isRequired }: Members): Schema[] {
  const none = { not: { anyOf: names.map((name) => has(name)) } };
  const several =
    names.length > maxPaired ? [{ not: { oneOf: [...names.map((name) => has(name)), none] } }] : pairsOf(names);
  return isRequired ? [...several, none] : several;
}

function pairsOf(names: readonly string[]): Schema[] {
  return names.flatMap((name, index) => names.slice(index + 1).map((other) => has(name, other)));
}

function has(...names: string[]): Schema {
  return { required: names };
}
