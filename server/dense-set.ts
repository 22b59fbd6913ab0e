// A set whose members come and go with every call.

/** What a `DenseSet` can hold. */
export interface Placed {
  /** Index in the set that holds it, or -1. Only `DenseSet` writes it. */
  place: number;
}

/**
 * A set in an array. V8 gives a Set a new table after so many additions, and each old table holds the next one and the
 * members that it had: once one of them has grown old, a scavenge frees none of these members any more.
 */
export class DenseSet<Member extends Placed> {
  readonly #members: Member[] = [];

  add(member: Member): void {
    member.place = this.#members.push(member) - 1;
  }

  /** Does nothing if the set does not hold the member. */
  delete(member: Member): void {
    if (member.place < 0) return;
    const last = this.#members.pop() as Member;
    if (last !== member) {
      this.#members[member.place] = last;
      last.place = member.place;
    }
    member.place = -1;
  }

  get size(): number {
    return this.#members.length;
  }

  /** The members of this moment: they may come and go while the array is used. */
  toArray(): Member[] {
    return [...this.#members];
  }
}
