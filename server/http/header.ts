// Request headers that have one value.
import type { IncomingHttpHeaders } from "node:http";

/** The value of a header. Node joins repeated ones by commas, but for those that it gives as a list. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}
