// Heads that come again, which requests share.
import type { IncomingHttpHeaders } from "node:http";

/** Stands in the memo of a head that has come once. One with an id or a time of its own never comes again. */
const seenOnce = Symbol("seen once");

/** Keeps what is known of a head that comes for the second time, with its headers frozen: what is derived from those is kept, too. */
export function keepIfRepeated(head: { memo: unknown }, known: { readonly headers: IncomingHttpHeaders }): void {
  const isRepeated = head.memo === seenOnce;
  if (isRepeated) Object.freeze(known.headers);
  head.memo = isRepeated ? known : seenOnce;
}
