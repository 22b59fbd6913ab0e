// Collects what several parts of a document refer to.
import type { Reference, Schema } from "./types.js";

/** The components of one document. */
export class Components {
  readonly #schemas = new Map<string, Schema>();

  /** A reference to the schema of that name. `make` is called once for each name, and may refer to the name itself. */
  schema(name: string, make: () => Schema): Reference {
    if (!this.#schemas.has(name)) {
      this.#schemas.set(name, {});
      this.#schemas.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  /** The schemas, by name in alphabetical order. */
  schemas(): Readonly<Record<string, Schema>> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
