// Limits what decoding one message may create: a few bytes of a compressed request can stand for millions of elements.
import { create, type DescMessage } from "@bufbuild/protobuf";

/** Thrown when a message has more elements than the limit allows. Callers send `resource_exhausted`. */
export class ElementLimitError extends Error {
  override readonly name = "ElementLimitError";

  constructor(maxElements: number) {
    super(`message has more than ${maxElements} elements`);
  }
}

/** No message that fits into memory has more. V8 keeps numbers up to here without memory of their own. */
const maxCount = 2 ** 31 - 1;

let limit = maxCount;
let left = maxCount;

/**
 * Begins to count the elements of one message while it is decoded. One count for all: decoding is never interrupted. One
 * element takes at most about 65 bytes of memory:
 *
 * - An item of a list is one element.
 * - An entry of a map is `entryCost` elements.
 * - A `bytes` value is `bytesCost` elements, wherever it is.
 * - A submessage is `elementCost` elements, besides the item or entry that holds it.
 * - A field that the type does not have, if it is kept, is `unknownFieldCost` elements.
 *
 * Other values of singular fields are free: they cannot outnumber the bytes that carry them.
 *
 * @param maxElements no limit if undefined
 */
export function openBudget(maxElements: number | undefined): void {
  limit = maxElements ?? maxCount;
  left = Math.min(limit, maxCount);
}

/** Call before creating elements. @throws ElementLimitError */
export function spendElements(count: number): void {
  left -= count;
  if (left < 0) throw new ElementLimitError(limit);
}

/** A key and its place in the hash table take about 85 bytes. */
export const entryCost = 2;

/** A `Uint8Array` takes 105 bytes, or 195 with a buffer of its own. */
export const bytesCost = 4;

/** An empty array or object takes 40 to 65 bytes, and its property in the message up to 60. */
export const containerCost = 2;

/** protobuf-es keeps number, wire type and a `Uint8Array`: 155 bytes. */
export const unknownFieldCost = 4;

const costs = new WeakMap<DescMessage, number>();

/**
 * Returns how many elements an empty message of the type is: one for each property that it is created with, and more for
 * lists, maps, oneofs and bytes. A message of 200 lists is 200 arrays, even if all of them stay empty.
 */
export function elementCost(desc: DescMessage): number {
  const known = costs.get(desc);
  if (known !== undefined) return known;
  const cost = Object.values(create(desc)).reduce<number>((sum, value) => sum + propertyCost(value), 0);
  costs.set(desc, cost);
  return cost;
}

function propertyCost(value: unknown): number {
  if (value instanceof Uint8Array) return bytesCost;
  return typeof value === "object" && value !== null ? containerCost : 1;
}
