// Limits what decoding one message may create: a few bytes of a compressed request can stand for millions of elements.

/** Thrown when a message has more elements than the limit allows. Callers send `resource_exhausted`. */
export class ElementLimitError extends Error {
  override readonly name = "ElementLimitError";

  constructor(maxElements: number) {
    super(`message has more than ${maxElements} elements`);
  }
}

/** Counts the elements of one message while it is decoded. */
export class ElementBudget {
  readonly #maxElements: number;
  #left: number;

  constructor(maxElements: number) {
    this.#maxElements = maxElements;
    this.#left = maxElements;
  }

  /** Call before creating elements. @throws ElementLimitError */
  spend(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new ElementLimitError(this.#maxElements);
  }
}
