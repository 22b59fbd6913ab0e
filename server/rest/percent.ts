// Decodes and encodes percent-encoded text of a request target, each exactly once: RFC 3986 section 2, with the two
// ways of a path variable that google/api/http.proto describes under "Path template syntax".
import { Code, ConnectError } from "@connectrpc/connect";

/**
 * What stays encoded in a variable of several segments, which "/" separates:
 * - "slash": `%2F` alone, as google/api/http.proto has it;
 * - "reserved": every character that RFC 6570 calls reserved, as Google's own servers do by default;
 * - "nothing": all is decoded, so a decoded slash looks like a separator.
 */
export type KeptEncoded = "slash" | "reserved" | "nothing";

const keptPatterns: Readonly<Record<KeptEncoded, RegExp | undefined>> = {
  slash: /(%2f)/i,
  reserved: /(%(?:2[1346789abcf]|3[abdf]|40|5[bd]))/i,
  nothing: undefined,
};

/** Whether raw text is the text itself: no escape, no byte beyond ASCII, no NUL. */
export function isPlain(raw: string): boolean {
  return !/[%\0\u0080-\uffff]/.test(raw);
}

/**
 * Decodes one segment of a raw target, whose characters are bytes: one from U+0080 to U+00FF stands for that byte, as Node
 * hands targets over.
 *
 * @returns undefined if an escape is incomplete, the bytes are not UTF-8, or one is NUL
 */
export function decodePercent(raw: string): string | undefined {
  if (isPlain(raw)) return raw;
  const escaped = raw.replace(/[\u0080-\u00ff]/g, escapeByte);
  if (/[\0\u0100-\uffff]|%00/.test(escaped)) return undefined;
  try {
    return decodeURIComponent(escaped);
  } catch {
    return undefined; // The URIError has no more details.
  }
}

/** Decodes the value of a variable of several segments. The raw text is known to decode. */
export function decodeSegments(raw: string, kept: KeptEncoded): string {
  if (!raw.includes("%")) return decodePercent(raw) ?? raw;
  const pattern = keptPatterns[kept];
  const pieces = pattern === undefined ? [raw] : raw.split(pattern);
  return pieces.map((piece, index) => (index % 2 === 1 ? piece : (decodePercent(piece) ?? piece))).join("");
}

/**
 * Encodes all but the unreserved characters `[-_.~0-9a-zA-Z]`.
 *
 * @returns undefined for text that `decodePercent` rejects: with a lone surrogate or a NUL
 */
export function encodePercent(text: string): string | undefined {
  if (!text.isWellFormed() || text.includes("\0")) return undefined;
  return encodeURIComponent(text).replace(/[!'()*]/g, escapeByte);
}

/**
 * Normalizes raw text for the comparison with literals (RFC 3986 section 6.2.2): unreserved characters
 * plain, the rest of what is escaped as `%` and capitals, and bytes beyond ASCII escaped.
 */
export function normalizePercent(raw: string): string {
  if (isPlain(raw)) return raw;
  return raw.replace(/[\u0080-\u00ff]/g, escapeByte).replace(/%[\da-f]{2}/gi, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : escaped.toUpperCase();
  });
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/**
 * Checks that a path can be decoded.
 *
 * @throws ConnectError `invalid_argument` if it does not begin with "/", or has a bad escape, a NUL or invalid UTF-8
 */
export function checkPath(path: string): void {
  if (!path.startsWith("/")) throw new ConnectError('path: expected "/" at the beginning', Code.InvalidArgument);
  if (decodePercent(path) === undefined) {
    throw new ConnectError("path: invalid percent-encoding or UTF-8", Code.InvalidArgument);
  }
}
