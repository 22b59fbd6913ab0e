// Turns the text of a parameter into the value that a schema judges, and texts that parameters mostly cannot have.
import type { OpenApiDocument, Schema } from "../../../../server/openapi/types.js";
import { resolve } from "../../../support/draw.js";

export const strangeTexts: readonly string[] = [
  ...["x", "1.5", "-1", "99999999999999999999", "3e39", "true", "TRUE", "NaN", "-NaN", "*", "=", "2024", "1s", "a b"],
  ...["COLOR_RED", "2024-13-01T00:00:00Z", "a..b", "0x10", " 1"],
];

/** The value that a text stands for: whatever the schema's type can be read from. */
export function readText(document: OpenApiDocument, given: Schema, text: string): unknown {
  const schema = resolve(document, given);
  const types = [schema, ...((schema.anyOf ?? []) as Schema[])].map(({ type }) => type);
  if (types.includes("array")) return [readText(document, schema.items as Schema, text)];
  const isNumber = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text);
  if ((types.includes("number") || types.includes("integer")) && isNumber) return Number(text);
  return types.includes("boolean") && /^(?:true|false)$/.test(text) ? text === "true" : text;
}

/** What is taken besides what the schema says: numbers that are not finite, numbers of enumerations, and base64 of the other alphabet or unpadded. */
export function isLenientText(document: OpenApiDocument, given: Schema, text: string): boolean {
  const schema = resolve(document, given);
  if (schema.type === "array") return isLenientText(document, schema.items as Schema, text);
  if (schema.type === "number" && /^(?:NaN|-?Infinity)$/.test(text)) return true;
  if (schema.enum !== undefined) return /^-?\d{1,9}$|^[A-Z]+_/.test(text);
  return schema.contentEncoding === "base64" && /^[\w+/-]*={0,2}$/.test(text) && text.length % 4 !== 1;
}
