// The open streams of a connection, by their ids.
import type { Stream } from "./stream.js";

/** A power of two. */
const fewestSlots = 16;

/**
 * A table in an array, with linear probing. A Map will not do: V8 gives it a new table after so many changes, and each old one
 * holds the next one and the streams that it had. Once one of them has grown old, a scavenge frees none of these streams any
 * more.
 */
export class StreamTable<Owner> {
  /** At least half of them are free, so that a search ends soon. */
  #slots: (Stream<Owner> | undefined)[] = emptySlots(fewestSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream<Owner> | undefined {
    return this.#slots[this.#slotOf(id)];
  }

  /** Adds a stream whose id is not there. */
  add(stream: Stream<Owner>): void {
    if (++this.#size * 2 > this.#slots.length) this.#grow();
    this.#slots[this.#slotOf(stream.id)] = stream;
  }

  /** Returns false if the id is not there. */
  delete(id: number): boolean {
    const slots = this.#slots;
    let free = this.#slotOf(id);
    if (slots[free] === undefined) return false;
    slots[free] = undefined;
    this.#size--;
    // What stands behind may have its place in front: searches end at the first free slot.
    const mask = slots.length - 1;
    for (let slot = (free + 1) & mask; slots[slot] !== undefined; slot = (slot + 1) & mask) {
      const stream = slots[slot] as Stream<Owner>;
      const steps = (slot - homeOf(stream.id, mask)) & mask;
      if (steps < ((slot - free) & mask)) continue;
      slots[free] = stream;
      slots[slot] = undefined;
      free = slot;
    }
    return true;
  }

  /** All streams, in the order of their ids. */
  list(): Stream<Owner>[] {
    return this.#slots.filter((stream) => stream !== undefined).sort((a, b) => a.id - b.id);
  }

  /** The slot that has the id, or else the free one that it would get. */
  #slotOf(id: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = homeOf(id, mask);
    while (slots[slot] !== undefined && slots[slot]?.id !== id) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const streams = this.list();
    this.#slots = emptySlots(this.#slots.length * 2);
    for (const stream of streams) this.#slots[this.#slotOf(stream.id)] = stream;
  }
}

function emptySlots<Owner>(count: number): (Stream<Owner> | undefined)[] {
  return new Array(count).fill(undefined);
}

/** Ids of one side are all odd, or all even. */
function homeOf(id: number, mask: number): number {
  return (id >>> 1) & mask;
}
