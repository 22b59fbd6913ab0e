// Remembers which fields and oneofs a message has had.

/** The fields and oneofs that a message has had: none may come twice. */
export class Seen {
  #first32 = 0;
  #others: Set<number> | undefined;

  /** Returns false if the index is known. */
  add(index: number): boolean {
    if (index < 32) {
      const bit = 1 << index;
      if ((this.#first32 & bit) !== 0) return false;
      this.#first32 |= bit;
      return true;
    }
    this.#others ??= new Set();
    if (this.#others.has(index)) return false;
    this.#others.add(index);
    return true;
  }
}
