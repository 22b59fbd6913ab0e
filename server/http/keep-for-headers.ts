// Keeps what was derived from headers that requests share: clients send the same ones again and again.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** A function that derives the same result only once from headers that are frozen. Its results must not be changed. */
export function keepForHeaders<Source extends IncomingHttpHeaders | OutgoingHttpHeaders, Result extends object>(
  derive: (headers: Source) => Result,
): (headers: Source) => Result {
  const kept = new WeakMap<Source, Result>();
  return (headers) => {
    const known = kept.get(headers);
    if (known !== undefined) return known;
    const result = derive(headers);
    if (Object.isFrozen(headers)) kept.set(headers, result);
    return result;
  };
}
