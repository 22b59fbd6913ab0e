// Shortens and quotes what a client sent, for the text of an error: the response must not grow with the request.

/** Maximum length of client text in an error, in UTF-16 units. */
const maxQuotedLength = 100;

/** Returns the text, or its beginning with `…` if it is longer than `maxLength`. Lone surrogates are replaced. */
export function shorten(text: string, maxLength: number = maxQuotedLength): string {
  return text.length > maxLength ? `${takeWhole(text, maxLength).toWellFormed()}…` : text.toWellFormed();
}

/** Quotes the text as JSON does, shortened. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text));
}

/** Describes a value of unknown type after "found": `"text"`, `1`, `an array`, `a function`. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (value === null || ["undefined", "number", "boolean", "bigint"].includes(typeof value)) return String(value);
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The first `length` units, or one less where they would end within a character. */
function takeWhole(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
