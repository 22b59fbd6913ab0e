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

export class EncoderTable extends DynamicTable<Entry> {
  /** Name → its newest entry. */
  readonly #newest = new Map<string, Entry>();

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

  protected override evicted(entry: Entry): void {
    if (entry.newer === undefined) this.#newest.delete(entry.name);
    else entry.newer.older = undefined;
  }

  #indexOf(entry: Entry): number {
    return staticTableLength + 1 + this.inserted - entry.number;
  }
}
