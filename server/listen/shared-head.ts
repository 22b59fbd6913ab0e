// Heads that come again, and heads that are similar to others: requests share what is known of them.
import type { IncomingHttpHeaders } from "node:http";
import { changeHeaders } from "../http/similar-headers.js";

interface Field {
  readonly name: string;
  readonly value: string;
}

/** A head as a connection reads it. */
interface Head {
  memo: unknown;
  readonly fields: readonly Field[];
}

/** What is known of a head. */
interface Known {
  readonly headers: IncomingHttpHeaders;
}

/** Stands in the memo of a head that has come once. One that no other is like never comes again. */
const seenOnce = Symbol("seen once");

/** Keeps what is known of a head that comes for the second time, as `keep` does. */
export function keepIfRepeated(head: Head, known: Known): void {
  if (head.memo === seenOnce) keep(head, known);
  else head.memo = seenOnce;
}

/** Keeps what is known of a head, with its headers frozen: what is derived from those is kept, too. */
export function keep<K extends Known>(head: Head, known: K): K {
  Object.freeze(known.headers);
  head.memo = known;
  return known;
}

/** Headers of which more depends than their own value, or that Node has as a list. */
const unlikeOthers: ReadonlySet<string> = new Set(["connection", "expect", "host", "set-cookie"]);

/**
 * Returns headers that differ from those of a head in some fields; undefined if more than those fields differ.
 *
 * @param known of the head, with headers that are frozen
 * @param changes other values for fields of the head
 */
export function similarHeaders(
  { fields }: Head,
  known: Known,
  changes: readonly Field[],
): IncomingHttpHeaders | undefined {
  const isPlain = ({ name }: Field) => !unlikeOthers.has(name) && hasOnce(fields, name);
  return changes.every(isPlain) ? changeHeaders(known.headers, changes) : undefined;
}

/** Whether just one of the fields has the name. Several are joined, or the first one counts. */
function hasOnce(fields: readonly Field[], name: string): boolean {
  let count = 0;
  for (let index = 0; index < fields.length; index++) if (fields[index]?.name === name) count++;
  return count === 1;
}
