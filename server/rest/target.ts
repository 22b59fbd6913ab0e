// Turns a raw request target into its path and query, both still encoded (RFC 9112 section 3.2.1). No URL parser sees it:
// one would take `..`, `%2e%2e` and `\` for steps in a file system, and route where nobody looked.
import { Code, ConnectError } from "@connectrpc/connect";
import { decodePercent } from "./percent.js";

/** A request target in origin form, encoded as it was sent. */
export interface Target {
  /** From the first "/" up to the query. It is known to decode. */
  readonly path: string;
  /** What follows the first "?"; empty if there is none. */
  readonly query: string;
}

/** @throws ConnectError `invalid_argument` if there is no path, or it holds a bad escape, a NUL, or no UTF-8 */
export function parseTarget(target: string): Target {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  if (!path.startsWith("/")) throw new ConnectError('the path does not begin with "/"', Code.InvalidArgument);
  if (decodePercent(path) === undefined) {
    throw new ConnectError("the path is not percent-encoded UTF-8 without NUL", Code.InvalidArgument);
  }
  return { path, query: mark < 0 ? "" : target.slice(mark + 1) };
}
