// The dynamic table of an encoder, which looks up indexes by names and values.
import { DynamicTable } from "./dynamic-table.js";
import { staticTableLength } from "./static-table.js";

/** An entry, in the list of those with its name. */
interface Entry {
  readonly name: string;
  readonly value: string;
  /** How many had been inserted with it. */
  readonly number: number;
  newer: Entry | undefined;
  older: Entry | undefined;
}

/** Values that are remembered in order to see them again. A power of two. */
const seenCount = 16;

export class EncoderTable extends DynamicTable<Entry> {
  /** Name → its newest entry. */
  readonly #newest = new Map<string, Entry>();

  /** Fields that were sent and not indexed: the last one of each slot. */
  readonly #seenNames: (string | undefined)[] = [];
  readonly #seenValues: (string | undefined)[] = [];

  /** Returns the index of the field in both tables, as header blocks count it; undefined if it has none. */
  indexOf(name: string, value: string): number | undefined {
    let entry = this.#newest.get(name);
    while (entry !== undefined && entry.value !== value) entry = entry.older;
    return entry === undefined ? undefined : this.#indexOf(entry);
  }

  /** Returns the index of the newest field with the name. */
  indexOfName(name: string): number | undefined {
    const entry = this.#newest.get(name);
    return entry === undefined ? undefined : this.#indexOf(entry);
  }

  insertField(name: string, value: string): void {
    // Before anything is evicted, which may be the last one of the name.
    const entry: Entry = { name, value, number: this.inserted + 1, newer: undefined, older: undefined };
    this.insert(entry);
    const older = this.#newest.get(name);
    entry.older = older;
    if (older !== undefined) older.newer = entry;
    this.#newest.set(name, entry);
  }

  /** Whether the field has been asked for a short time ago: it repeats. */
  hasSeen(name: string, value: string): boolean {
    const slot = slotOf(value);
    if (this.#seenValues[slot] === value && this.#seenNames[slot] === name) return true;
    this.#seenValues[slot] = value;
    this.#seenNames[slot] = name;
    return false;
  }

  protected override evicted(entry: Entry): void {
    if (entry.newer === undefined) this.#newest.delete(entry.name);
    else entry.newer.older = undefined;
    // An entry that has grown old would keep all newer ones from a scavenge.
    entry.newer = undefined;
  }

  #indexOf(entry: Entry): number {
    return staticTableLength + 1 + this.inserted - entry.number;
  }
}

/** A few characters are enough to tell values apart, and what is not told apart is only indexed later. */
function slotOf(value: string): number {
  const { length } = value;
  const sum =
    length +
    (value.charCodeAt(0) | 0) * 3 +
    (value.charCodeAt(length - 1) | 0) * 5 +
    (value.charCodeAt(length >> 1) | 0) * 7;
  return sum & (seenCount - 1);
}
