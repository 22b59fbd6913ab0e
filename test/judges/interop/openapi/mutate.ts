// Turns a body that a document allows into ones that it mostly forbids: one value, anywhere, becomes another.
import fc from "fast-check";
import type { OpenApiDocument, Schema } from "../../../../server/openapi/types.js";
import { resolve } from "../../../support/draw.js";

/** A changed body. */
export interface Mutant {
  readonly json: unknown;
  /** Whether every reader of ProtoJSON has to take the value, although none writes it so. */
  readonly isLenient: boolean;
}

interface Spot {
  readonly schema: Schema;
  /** The whole body with another value in this place. */
  replace(value: unknown): unknown;
}

const strangers: readonly unknown[] = [
  ...[{}, [], "x", "", "1", 1.5, -1, 1e10, 3e39, true, false, "18446744073709551616", ["x"], [null], { a: 1 }],
  ...["2024-13-01T00:00:00Z", "1", "a_b", "=", "1.0000000001s"],
];

/** Bodies with one value changed. */
export function mutantsOf(document: OpenApiDocument, schema: Schema, json: unknown): fc.Arbitrary<Mutant> {
  const spots = [...listSpots(document, schema, json)];
  return fc.tuple(fc.constantFrom(...spots), fc.constantFrom(...strangers)).map(([spot, value]) => ({
    json: spot.replace(value),
    isLenient: isLenient(resolve(document, spot.schema), value),
  }));
}

function* listSpots(document: OpenApiDocument, given: Schema, json: unknown): Generator<Spot> {
  yield { schema: given, replace: (value) => value };
  const schema = resolve(document, given);
  if (Array.isArray(json) && schema.items !== undefined) {
    for (const [index, item] of json.entries()) {
      for (const spot of listSpots(document, schema.items as Schema, item)) {
        yield { ...spot, replace: (value) => json.with(index, spot.replace(value)) };
      }
    }
  } else if (typeof json === "object" && json !== null) {
    const { additionalProperties } = schema;
    const properties = (schema.properties ?? {}) as Record<string, Schema>;
    for (const [key, item] of Object.entries(json)) {
      const known = Object.entries(properties).find(([name]) => name === key)?.[1] ?? additionalProperties;
      if (typeof known !== "object") continue;
      for (const spot of listSpots(document, known as Schema, item)) {
        const others = Object.entries(json).filter(([name]) => name !== key);
        yield { ...spot, replace: (value) => Object.fromEntries([...others, [key, spot.replace(value)]]) };
      }
    }
  }
}

/** What the document does not say, for the sake of one spelling: https://protobuf.dev/programming-guides/json/. */
function isLenient(schema: Schema, value: unknown): boolean {
  const alternatives = [schema, ...((schema.anyOf ?? []) as Schema[])];
  return alternatives.some(({ type, format, enum: names, contentEncoding }) => {
    // Values of enumerations by number or name, and names of newer schemas, which are passed over.
    if (names !== undefined || type === "null") return typeof value === "string" || isInt32(value);
    // Numbers as text, and text as numbers.
    if (type === "number" || type === "integer") return typeof value === "string" && isNumberFor(format, value);
    if (format === "int64" || format === "uint64") return Number.isSafeInteger(value) || value === "";
    return contentEncoding === "base64" && typeof value === "string" && /^[\w+/-]*={0,2}$/.test(value);
  });
}

function isInt32(value: unknown): boolean {
  return Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31;
}

function isNumberFor(format: unknown, text: string): boolean {
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) return false;
  return format === "float" || format === "double" || isInt32(value);
}
