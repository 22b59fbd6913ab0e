// Keeps what was derived from headers that requests share: clients send the same ones again and again.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { type Change, similarityOf } from "./similar-headers.js";

type Source = IncomingHttpHeaders | OutgoingHttpHeaders;

/**
 * A function that derives the same result only once from headers that are frozen. Its results must not be changed.
 *
 * @param change makes the result for similar headers, or returns undefined if it cannot
 */
export function keepForHeaders<Headers extends Source, Result extends object>(
  derive: (headers: Headers | IncomingHttpHeaders) => Result,
  change?: (result: Result, changes: readonly Change[]) => Result | undefined,
): (headers: Headers) => Result {
  const kept = new WeakMap<Source, Result>();
  const keep = (headers: Headers | IncomingHttpHeaders): Result => {
    const similarity = change && similarityOf(headers);
    const changed = similarity && change?.(keep(similarity.base), similarity.changes);
    if (changed !== undefined) return changed;
    const known = kept.get(headers);
    if (known !== undefined) return known;
    const result = derive(headers);
    if (Object.isFrozen(headers)) kept.set(headers, result);
    return result;
  };
  return keep;
}
