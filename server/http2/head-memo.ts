// Heads that come again. The decoder returns the same list of fields for the same block, and a list has one head.
import type { Field } from "./hpack/field.js";

const maxHeads = 8;

export class HeadMemo<Head extends { readonly rawFields: readonly Field[] }> {
  readonly #read: (fields: readonly Field[]) => Head | string;
  readonly #heads: Head[] = [];
  #next = 0;

  /** @param read returns the head of a list, or what is wrong with it */
  constructor(read: (fields: readonly Field[]) => Head | string) {
    this.#read = read;
  }

  /** Returns the head of the list, or what is wrong with it. */
  read(fields: readonly Field[]): Head | string {
    const heads = this.#heads;
    for (let index = 0; index < heads.length; index++) {
      const head = heads[index] as Head;
      if (head.rawFields === fields) return head;
    }
    const head = this.#read(fields);
    if (typeof head === "string") return head;
    heads[this.#next] = head;
    this.#next = (this.#next + 1) % maxHeads;
    return head;
  }
}
