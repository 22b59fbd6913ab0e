// Headers of requests that are alike but for a few values, such as an id: what is known of the others is not found out again.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** A header that has another value. */
export interface Change {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

/** What headers are similar to. */
interface Similarity {
  /** Frozen headers with the same names. */
  readonly base: IncomingHttpHeaders;
  /** What is not as in `base`: one value each. */
  readonly changes: readonly Change[];
}

/** As `NodeHeaders`, with a similarity that is not seen from outside. */
class SimilarHeaders {
  readonly #similarity: Similarity;

  constructor(base: IncomingHttpHeaders, changes: readonly Change[]) {
    this.#similarity = { base, changes };
    const headers: IncomingHttpHeaders = Object.assign(this, base);
    for (const { name, value } of changes) headers[name] = value;
  }

  static similarityOf(headers: object): Similarity | undefined {
    return #similarity in headers ? headers.#similarity : undefined;
  }
}

// No name is inherited, so that a header may have every name.
Reflect.deleteProperty(SimilarHeaders.prototype, "constructor");
Object.freeze(Object.setPrototypeOf(SimilarHeaders.prototype, null));

/**
 * Returns headers with other values for some names.
 *
 * @param base frozen
 * @param changes of names that `base` has, one value each
 */
export function changeHeaders(base: IncomingHttpHeaders, changes: readonly Change[]): IncomingHttpHeaders {
  return changes.length === 0 ? base : (new SimilarHeaders(base, changes) as SimilarHeaders & IncomingHttpHeaders);
}

/** What the headers are similar to; undefined if they do not come from `changeHeaders`. */
export function similarityOf(headers: IncomingHttpHeaders | OutgoingHttpHeaders): Similarity | undefined {
  return SimilarHeaders.similarityOf(headers);
}
