// Collects what several parts of a document refer to.
import type { Work } from "../slices.js";
import type { Reference, Schema } from "./types.js";

/** The components of one document. */
export class Components {
  readonly #prefix: string;
  /** By name, once for each. What makes one may ask for others, so that it is made later: messages may nest deeply. */
  readonly #makers = new Map<string, () => Schema>();

  /** @param prefix what references begin with: where the document has its schemas */
  constructor(prefix = "#/components/schemas/") {
    this.#prefix = prefix;
  }

  /** A reference to the schema of that name. `make` is called at most once for each name. */
  schema(name: string, make: () => Schema): Reference {
    if (!this.#makers.has(name)) this.#makers.set(name, make);
    return { $ref: `${this.#prefix}${name}` };
  }

  /** Makes the schemas, by name in alphabetical order, and pauses after each. */
  *schemas(): Work<Readonly<Record<string, Schema>>> {
    const schemas: [string, Schema][] = [];
    // A map that grows while it is walked is walked to its end.
    for (const [name, make] of this.#makers) {
      schemas.push([name, make()]);
      yield;
    }
    return Object.fromEntries(schemas.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
