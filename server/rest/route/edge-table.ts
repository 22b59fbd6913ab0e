// A hash map from two numbers to one, in one array: a look-up takes one read of memory. The maps of
// JavaScript take several, which is slower for tables larger than the processor's cache.

/** Slots of an entry: both numbers of its key, and its value. */
const width = 3;

const free = -1;

/** Entries are only added. All numbers are integers from 0, below 2^31. */
export class EdgeTable {
  /** A power of two, less one. */
  private lastPlace = 15;
  private slots: Int32Array = new Int32Array(16 * width).fill(free);
  private size = 0;

  get(first: number, second: number): number | undefined {
    const at = this.find(first, second);
    return this.slots[at] === free ? undefined : this.slots[at + 2];
  }

  /** Adds an entry. There must be none with its key. */
  add(first: number, second: number, value: number): void {
    // Half of the places stay free, so that the search for a missing key is short.
    if (this.size * 2 > this.lastPlace) this.grow();
    this.slots.set([first, second, value], this.find(first, second));
    this.size++;
  }

  /** Where a key is, or would be. */
  private find(first: number, second: number): number {
    const { slots, lastPlace } = this;
    for (let place = hash(first, second) & lastPlace; ; place = (place + 1) & lastPlace) {
      const at = place * width;
      const found = slots[at];
      if (found === free || (found === first && slots[at + 1] === second)) return at;
    }
  }

  private grow(): void {
    const before = this.slots;
    this.lastPlace = this.lastPlace * 2 + 1;
    this.slots = new Int32Array(before.length * 2).fill(free);
    for (let at = 0; at < before.length; at += width) {
      const [first = free, second = free, value = free] = before.subarray(at, at + width);
      if (first !== free) this.slots.set([first, second, value], this.find(first, second));
    }
  }
}

/** Spreads keys by Knuth's multiplication, and mixes in the upper bits, which it spreads best. */
function hash(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
