// Writes lists as JSON arrays, and maps as JSON objects.
import { closeList, closeObject, outputPosition, putColon, putComma } from "./json-output.js";
import { refuse, withinEntry, withinItem } from "./json-write-error.js";
import { type ValueWriter, writeString } from "./json-write-scalar.js";

/** Writes the items of a list. @throws JsonWriteError, with the index of the item that cannot be written */
export function writeList(list: unknown, write: ValueWriter): void {
  if (!Array.isArray(list)) refuse("a list", list);
  const start = outputPosition();
  let index = 0;
  try {
    for (; index < list.length; index++) {
      putComma();
      write(list[index]);
    }
  } catch (error) {
    throw withinItem(error, index);
  }
  closeList(start);
}

/** Writes the entries of a map. @throws JsonWriteError, with the key of the entry that cannot be written */
export function writeEntries(map: unknown, write: ValueWriter, writeKey: ValueWriter = writeString): void {
  if (typeof map !== "object" || map === null || Array.isArray(map)) refuse("a map", map);
  const start = outputPosition();
  let key = "";
  try {
    for (key of Object.keys(map)) {
      putComma();
      writeKey(key);
      putColon();
      write((map as Record<string, unknown>)[key]);
    }
  } catch (error) {
    throw withinEntry(error, key);
  }
  closeObject(start);
}
