// The last ids out of many. Adding one is cheap; looking one up is rare.
export class RecentIds {
  readonly #capacity: number;
  readonly #ids: number[] = [];
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Adds an id, and forgets the oldest if there are too many. */
  add(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = this.#next + 1 === this.#capacity ? 0 : this.#next + 1;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
