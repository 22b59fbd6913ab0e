// Writes lists as JSON arrays, and maps as JSON objects.
import { entryStep, refuse, within } from "./json-write-error.js";
import { type ValueWriter, writeString } from "./json-write-scalar.js";

/** Writes the items of a list. @throws JsonWriteError, with the index of the item that cannot be written */
export function writeList(list: unknown, write: ValueWriter): string {
  if (!Array.isArray(list)) refuse("a list", list);
  let text = "";
  let index = 0;
  try {
    for (; index < list.length; index++) {
      const item = write(list[index]);
      text = index === 0 ? item : `${text},${item}`;
    }
  } catch (error) {
    throw within(`[${index}]`, error);
  }
  return `[${text}]`;
}

/** Writes the entries of a map. @throws JsonWriteError, with the key of the entry that cannot be written */
export function writeEntries(map: unknown, write: ValueWriter, writeKey: ValueWriter = writeString): string {
  if (typeof map !== "object" || map === null || Array.isArray(map)) refuse("a map", map);
  let text = "";
  let current = "";
  try {
    for (const key of Object.keys(map)) {
      current = key;
      const entry = `${writeKey(key)}:${write((map as Record<string, unknown>)[key])}`;
      text = text === "" ? entry : `${text},${entry}`;
    }
  } catch (error) {
    throw within(entryStep(current), error);
  }
  return `{${text}}`;
}
