// The deadlines of all calls of a server behind one timer. A timer for each call costs more than the rest of its bookkeeping,
// and nearly every call has ended long before its deadline.

/** A moment at which a call is to end. */
export class Deadline {
  /** Milliseconds of `performance.now()`. */
  readonly atMs: number;
  readonly onPassed: () => void;
  /** Index in the heap that holds it, or -1. Only `Deadlines` writes it. */
  place = -1;

  constructor(atMs: number, onPassed: () => void) {
    this.atMs = atMs;
    this.onPassed = onPassed;
  }
}

/** A heap of deadlines, whose first one is the earliest. Its timer keeps the process running while there are any. */
export class Deadlines {
  readonly #heap: Deadline[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires: at the first deadline or before it, because that of a call that has ended does not move it. */
  #firesAtMs = Number.POSITIVE_INFINITY;

  /** Calls `onPassed` of the deadline at its time, once, unless it is deleted before. */
  add(deadline: Deadline): void {
    this.#rise(deadline, this.#heap.length);
    if (deadline.atMs < this.#firesAtMs) this.#setTimer(deadline.atMs);
    else if (this.#heap.length === 1) this.#timer?.ref();
  }

  /** Does nothing if the deadline has passed. */
  delete(deadline: Deadline): void {
    const { place } = deadline;
    if (place < 0) return;
    deadline.place = -1;
    const last = this.#heap.pop() as Deadline;
    if (last !== deadline) this.#move(last, place);
    if (this.#heap.length === 0) this.#timer?.unref();
  }

  get size(): number {
    return this.#heap.length;
  }

  #setTimer(atMs: number): void {
    clearTimeout(this.#timer);
    this.#firesAtMs = atMs;
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, Math.ceil(atMs - performance.now())));
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.#firesAtMs = Number.POSITIVE_INFINITY;
    try {
      this.#pass(performance.now());
    } finally {
      const first = this.#heap[0];
      if (first !== undefined && first.atMs < this.#firesAtMs) this.#setTimer(first.atMs);
    }
  }

  #pass(now: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= now; first = this.#heap[0]) {
      this.delete(first);
      first.onPassed();
    }
  }

  /** Puts a deadline where another one was. */
  #move(deadline: Deadline, place: number): void {
    const parent = this.#heap[(place - 1) >> 1];
    if (place > 0 && parent !== undefined && deadline.atMs < parent.atMs) this.#rise(deadline, place);
    else this.#sink(deadline, place);
  }

  #rise(deadline: Deadline, from: number): void {
    let place = from;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = this.#heap[parentPlace] as Deadline;
      if (parent.atMs <= deadline.atMs) break;
      this.#put(parent, place);
      place = parentPlace;
    }
    this.#put(deadline, place);
  }

  #sink(deadline: Deadline, from: number): void {
    let place = from;
    for (;;) {
      const childPlace = this.#earlierChild(place);
      const child = this.#heap[childPlace];
      if (child === undefined || deadline.atMs <= child.atMs) break;
      this.#put(child, place);
      place = childPlace;
    }
    this.#put(deadline, place);
  }

  #earlierChild(place: number): number {
    const left = this.#heap[place * 2 + 1];
    const right = this.#heap[place * 2 + 2];
    return left !== undefined && right !== undefined && right.atMs < left.atMs ? place * 2 + 2 : place * 2 + 1;
  }

  #put(deadline: Deadline, place: number): void {
    this.#heap[place] = deadline;
    deadline.place = place;
  }
}
