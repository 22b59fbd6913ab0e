// What one reading of JSON is allowed. One state for all: reading is never interrupted.
import type { Registry } from "@bufbuild/protobuf";
import { openBudget, spendElements } from "./element-limit.js";
import { Fault } from "./json-read-error.js";

/** The settings of a decoder. */
export interface JsonSettings {
  /** Whether unknown fields and unknown names of enum values are passed over. */
  readonly ignoreUnknownFields: boolean;
  /** The types of `google.protobuf.Any` and the extensions that are known. */
  readonly registry: Registry | undefined;
  /** How deep messages may be nested. */
  readonly recursionLimit: number;
  /** Whether code of types reads them, and not their plans. */
  readonly compiles: boolean;
}

/** The state of the message that is being read. */
export interface JsonState {
  settings: JsonSettings;
  /** How many elements one element is. */
  weight: number;
  /** The `@type` of objects by their positions, as far as they have been searched for ahead of reading. */
  readonly typeUrls: Map<number, string>;
  /** Where that search has ended. */
  typesEnd: number;
}

export const state: JsonState = {
  settings: { ignoreUnknownFields: false, registry: undefined, recursionLimit: 100, compiles: false },
  weight: 1,
  typeUrls: new Map(),
  typesEnd: 0,
};

/** Begins to read. */
export function openState(settings: JsonSettings, maxElements: number | undefined): void {
  state.settings = settings;
  openBudget(maxElements);
  state.weight = 1;
  state.typesEnd = 0;
  // A search that failed has left its types here, and no end.
  if (state.typeUrls.size > 0) state.typeUrls.clear();
}

/** @throws Fault for a message that is nested too deep */
export function checkDepth(depth: number): void {
  const { recursionLimit } = state.settings;
  if (depth > recursionLimit) throw new Fault(`expected at most ${recursionLimit} levels, found more`);
}

/** Call before creating elements. @throws ElementLimitError */
export function spend(count: number): void {
  spendElements(count * state.weight);
}
