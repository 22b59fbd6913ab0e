// Reads the code of a response.
import type { RawAnswer } from "../support/http.js";

/** The code of a response, by name or number, wherever its protocol puts it; "none" for success over Connect and REST. */
export function codeOf({ headers, trailers, body, text }: RawAnswer): string {
  const inHead = headers["grpc-status"] ?? trailers["grpc-status"];
  if (inHead !== undefined) return String(inHead);
  const decoded = headers["content-type"]?.startsWith("application/grpc-web-text")
    ? Buffer.from(text, "base64").toString("latin1")
    : body.toString("latin1");
  return /"code":"?(\w+)/.exec(decoded)?.[1] ?? /grpc-status: (\d+)/.exec(decoded)?.[1] ?? "none";
}
