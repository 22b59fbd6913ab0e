// What holds for the message that is being decoded. One state for all: decoding is never interrupted.

import { quote } from "../quote.js";
import { BinaryError, keepFrom } from "./binary-input.js";
import { openBudget, spendElements, unknownFieldCost } from "./element-limit.js";

/** How messages are decoded. */
export interface BinaryDecodeOptions {
  /** Maximum depth of nesting. Default 100, as in protobuf-es. */
  readonly recursionLimit?: number;
  /** Whether to keep fields that the type does not have. Default true. */
  readonly readUnknownFields?: boolean;
  /** Maximum number of elements of a message, as `openBudget` counts them. Default: no limit. */
  readonly maxElements?: number | undefined;
}

let recursionLimit = 100;
let keepsUnknown = true;

/** Begins a message. */
export function openState(options: BinaryDecodeOptions): void {
  openBudget(options.maxElements);
  recursionLimit = options.recursionLimit ?? 100;
  keepsUnknown = options.readUnknownFields ?? true;
}

/** @param depth that of a message: 1 for the outermost */
export function checkDepth(depth: number): void {
  if (depth > recursionLimit) throw new BinaryError(`nested more than ${recursionLimit} deep`);
}

/** @returns how deep groups may be nested within a message of a depth */
export function depthLeft(depth: number): number {
  return recursionLimit - depth;
}

/** The error of a field that is longer than what it is in. */
export function pastEnd(container: string): BinaryError {
  return new BinaryError(`extends past the end of its ${container}`);
}

/** Adds the key of an entry to the path of an error. */
export function withinEntry(error: unknown, key: string): unknown {
  return error instanceof BinaryError ? error.within(`[${quote(key)}]`) : error;
}

/** A field as it is on the wire. */
interface UnknownField {
  readonly no: number;
  readonly wireType: number;
  readonly data: Uint8Array;
}

/** Keeps the value that has just been read, from the position after its tag, if such fields are kept. */
export function keepUnknown(target: { $unknown?: unknown }, tag: number, start: number): void {
  if (!keepsUnknown) return;
  spendElements(unknownFieldCost);
  const field: UnknownField = { no: tag >>> 3, wireType: tag & 7, data: keepFrom(start) };
  const kept = target.$unknown as UnknownField[] | undefined;
  if (kept === undefined) target.$unknown = [field];
  else kept.push(field);
}
