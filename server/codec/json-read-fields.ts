// Reads the values of fields into messages: singular fields, members of oneofs, lists and maps.
import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { entryCost } from "./element-limit.js";
import { expect, expectClose, readText, signs, take, takeNull } from "./json-input.js";
import { entrySegment, Fault, within } from "./json-read-error.js";
import { ignored, type ValueReader } from "./json-read-scalar.js";
import { rejectText, rejectValue } from "./json-read-skip.js";
import { spend } from "./json-read-state.js";
import { scalarText } from "./scalar-text.js";
import { setEntry, type Target } from "./values.js";

/** Reads the value of a field into a message. @throws Fault */
export type FieldReader = (target: Target, depth: number) => void;

/** @param hasNull whether null is a value of the field, and not its absence */
export function singularReader(name: string, read: ValueReader, hasNull: boolean): FieldReader {
  return (target, depth) => {
    if (!hasNull && takeNull()) return;
    const value = read(depth);
    if (value !== ignored) target[name] = value;
  };
}

/** @param hasNull whether null is a value of the field, and not its absence */
export function oneofReader(oneof: string, name: string, read: ValueReader, hasNull: boolean): FieldReader {
  return (target, depth) => {
    if (!hasNull && takeNull()) return;
    const value = read(depth);
    if (value !== ignored) target[oneof] = { case: name, value };
  };
}

export function listReader(name: string, read: ValueReader): FieldReader {
  return (target, depth) => {
    if (takeNull()) return;
    if (!take(signs.openList)) rejectValue("an array");
    if (take(signs.closeList)) return;
    const list = target[name] as unknown[];
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
  };
}

export function mapReader(field: DescField & { fieldKind: "map" }, read: ValueReader): FieldReader {
  const { localName: name } = field;
  const toKey = keyParser(field.mapKey);
  return (target, depth) => {
    if (!takeNull()) readEntries(target[name] as Target, toKey, read, depth);
  };
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
      name = readText();
      const key = toKey(name);
      if (Object.hasOwn(map, key) || passed?.has(key)) throw new Fault("is set twice");
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
