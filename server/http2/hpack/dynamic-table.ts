// The dynamic table: RFC 7541, sections 2.3.2 and 4. First in, first out, in a ring that grows with its entries.
import { type Field, fieldBytes } from "./field.js";

const initialRing = 8;

export class DynamicTable<Entry extends Field> {
  /** Its length is a power of two. */
  #ring: (Entry | undefined)[] = [];
  #length = 0;
  #bytes = 0;
  #maxBytes: number;
  #inserted = 0;
  #changes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Number of entries. */
  get length(): number {
    return this.#length;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get maxBytes(): number {
    return this.#maxBytes;
  }
  /** Number of entries that have ever been inserted: the number of the newest one. */
  get inserted(): number {
    return this.#inserted;
  }
  /** Another number after each change: what an index stands for is the same while this is. */
  get version(): number {
    return this.#changes;
  }

  /** Returns the entry, counted from the newest one, which is 0; undefined if there are not so many. */
  at(index: number): Entry | undefined {
    if (index >= this.#length) return undefined;
    return this.#ring[(this.#inserted - 1 - index) & (this.#ring.length - 1)];
  }

  /** Inserts an entry after the eviction of what has to go for it. One larger than the table empties it (§4.4). */
  insert(entry: Entry): void {
    const bytes = fieldBytes(entry);
    this.#changes++;
    this.#evictTo(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#inserted++ & (this.#ring.length - 1)] = entry;
    this.#length++;
    this.#bytes += bytes;
  }

  /** Changes the maximum size, and evicts what no longer fits. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#changes++;
    this.#evictTo(maxBytes);
  }

  clear(): void {
    this.#changes++;
    this.#evictTo(0);
  }

  /** Called for each entry that goes. */
  protected evicted(_entry: Entry): void {}

  #evictTo(bytes: number): void {
    while (this.#length > 0 && this.#bytes > bytes) {
      const slot = (this.#inserted - this.#length) & (this.#ring.length - 1);
      const oldest = this.#ring[slot] as Entry;
      this.#ring[slot] = undefined;
      this.#length--;
      this.#bytes -= fieldBytes(oldest);
      this.evicted(oldest);
    }
  }

  #grow(): void {
    const larger: (Entry | undefined)[] = new Array(Math.max(this.#ring.length * 2, initialRing)).fill(undefined);
    for (let number = this.#inserted - this.#length; number < this.#inserted; number++) {
      larger[number & (larger.length - 1)] = this.#ring[number & (this.#ring.length - 1)];
    }
    this.#ring = larger;
  }
}
