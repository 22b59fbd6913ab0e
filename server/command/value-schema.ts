// The part of JSON schema (draft 7, https://json-schema.org/draft-07/json-schema-validation) that describes the values of a
// configuration file.

type Type = "array" | "boolean" | "integer" | "number" | "string";

/** Keywords of JSON schema. Those of another type than the value say nothing of it. */
export interface ValueSchema {
  readonly type?: Type | readonly Type[];
  readonly enum?: readonly (boolean | string)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly items?: ValueSchema;
}

/** Whether a value is as the schema says. The items of a list are left to the caller. */
export function fits(schema: ValueSchema, value: unknown): boolean {
  if (schema.enum !== undefined && !schema.enum.some((one) => one === value)) return false;
  if (schema.type !== undefined && ![schema.type].flat().some((type) => isOfType(type, value))) return false;
  const {
    minimum = Number.NEGATIVE_INFINITY,
    maximum = Number.POSITIVE_INFINITY,
    minLength = 0,
    minItems = 0,
  } = schema;
  if (typeof value === "number") return value >= minimum && value <= maximum;
  if (Array.isArray(value)) return value.length >= minItems;
  if (typeof value !== "string") return true;
  return value.length >= minLength && (schema.pattern === undefined || new RegExp(schema.pattern, "u").test(value));
}

function isOfType(type: Type, value: unknown): boolean {
  if (type === "array") return Array.isArray(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}
