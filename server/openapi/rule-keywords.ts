// The keywords of JSON Schema that rules of protovalidate become whatever the type of their field.
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Schema } from "./types.js";

/** What rules of every scalar type have. */
export function listKeywords(rules: JsonObject): Schema {
  return {
    ...(rules.const === undefined ? {} : { const: rules.const }),
    ...(Array.isArray(rules.in) ? { enum: rules.in } : {}),
    ...(Array.isArray(rules.notIn) ? { not: { enum: rules.notIn } } : {}),
  };
}

/** A keyword whose value is a size, which is a 64-bit number, and so text. */
export function sized(keyword: string, size: JsonValue | undefined): Schema {
  return size === undefined ? {} : { [keyword]: Number(size) };
}

/** A schema with further keywords, which its example may break. */
export function constrain({ example, ...schema }: Schema, keywords: Schema): Schema {
  const isFree = Object.keys(keywords).length === 0;
  return { ...schema, ...(isFree && example !== undefined ? { example } : {}), ...keywords };
}
