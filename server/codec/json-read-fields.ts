// Reads the values of fields into messages: singular fields, members of oneofs, lists and maps.
import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { entryCost } from "./element-limit.js";
import { nullValue } from "./json-facts.js";
import { expect, expectClose, readSharedText, signs, take, takeNull } from "./json-input.js";
import { entrySegment, failTwice, within } from "./json-read-error.js";
import { ignored, type ValueReader } from "./json-read-scalar.js";
import { rejectText, rejectValue } from "./json-read-skip.js";
import { spend } from "./json-read-state.js";
import { scalarText } from "./scalar-text.js";
import { setEntry, type Target } from "./values.js";

/** Reads the value of a field into a message. @throws Fault */
export type FieldReader = (target: Target, depth: number) => void;

/** How the value of a field is read. */
export type FieldPlan = {
  /** The property that has the value, or the oneof. */
  readonly name: string;
  /** The place of its oneof, after the fields of the type; -1 if it has none. */
  readonly oneofIndex: number;
  readonly isScalar: boolean;
  readonly read: ValueReader;
} & (
  | { readonly kind: "list" }
  /** @param toKey turns names into keys, which are kept as text */
  | { readonly kind: "map"; readonly toKey: (name: string) => string }
  /** @param hasNull whether null is a value of the field, and not its absence */
  | { readonly kind: "singular"; readonly hasNull: boolean }
  /** @param case the name of the field in its oneof */
  | { readonly kind: "oneof"; readonly case: string; readonly hasNull: boolean }
);

/** Plans the reading of a field. */
export function planField(field: DescField, read: ValueReader): FieldPlan {
  const { parent, localName: name, oneof } = field;
  const oneofIndex = oneof === undefined ? -1 : parent.fields.length + parent.oneofs.indexOf(oneof);
  const base = { name, oneofIndex, isScalar: field.scalar !== undefined, read };
  if (field.fieldKind === "list") return { ...base, kind: "list" };
  if (field.fieldKind === "map") return { ...base, kind: "map", toKey: keyParser(field.mapKey) };
  const typeName = field.message?.typeName ?? field.enum?.typeName;
  const hasNull = typeName === "google.protobuf.Value" || typeName === nullValue;
  if (oneof === undefined) return { ...base, kind: "singular", hasNull };
  return { ...base, kind: "oneof", name: oneof.localName, case: name, hasNull };
}

/** Returns what reads a field by its plan. */
export function interpretField(plan: FieldPlan): FieldReader {
  const { name, read } = plan;
  switch (plan.kind) {
    case "list":
      return (target, depth) => readList(target[name] as unknown[], read, depth);
    case "map":
      return (target, depth) => {
        if (!takeNull()) readEntries(target[name] as Target, plan.toKey, read, depth);
      };
    case "singular":
      return (target, depth) => {
        if (!plan.hasNull && takeNull()) return;
        const value = read(depth);
        if (value !== ignored) target[name] = value;
      };
    case "oneof":
      return (target, depth) => {
        if (!plan.hasNull && takeNull()) return;
        const value = read(depth);
        if (value !== ignored) target[name] = { case: plan.case, value };
      };
  }
}

/** Reads an array into a list. */
export function readList(list: unknown[], read: ValueReader, depth: number): void {
  if (takeNull()) return;
  if (!take(signs.openList)) rejectValue("an array");
  if (take(signs.closeList)) return;
  let index = 0;
  try {
    do {
      spend(1);
      const value = read(depth);
      if (value !== ignored) list.push(value);
      index++;
    } while (take(signs.comma));
  } catch (reason) {
    throw within(reason, `[${index}]`);
  }
  expectClose(signs.closeList);
}

/** Reads an object whose names are keys. @param toKey turns names into keys, which are kept as text */
export function readEntries(map: Target, toKey: (name: string) => string, read: ValueReader, depth: number): void {
  if (!take(signs.openObject)) rejectValue("an object");
  if (take(signs.closeObject)) return;
  let name: string | undefined;
  let passed: Set<string> | undefined;
  try {
    do {
      name = undefined;
      name = readSharedText();
      const key = toKey(name);
      if (Object.hasOwn(map, key) || passed?.has(key)) failTwice();
      expect(signs.colon);
      spend(entryCost);
      const value = read(depth);
      if (value === ignored) passed = (passed ?? new Set()).add(key);
      else setEntry(map, key, value);
    } while (take(signs.comma));
  } catch (reason) {
    throw name === undefined ? reason : within(reason, entrySegment(name));
  }
  expectClose(signs.closeObject);
}

/** Keys are text in JSON, and text or numbers in objects: both are the same there. */
function keyParser(type: ScalarType): (name: string) => string {
  if (type === ScalarType.STRING) return sameKey;
  const { expected, parse } = scalarText(type);
  return (name) => String(parse(name) ?? rejectText(`a key that is ${expected}`, name));
}

/** The keys of maps of text. */
export const sameKey = (name: string): string => name;
