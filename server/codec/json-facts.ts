// Facts about JSON that reading and writing share.
import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Whether the JSON of the type is a string. */
export function isLeafType({ typeName }: DescMessage): boolean {
  return /^google\.protobuf\.(?:Timestamp|Duration|FieldMask)$/.test(typeName);
}

/** Whether 64-bit integers of the field are text in messages, too. */
export function isLongAsString(field: DescField): boolean {
  return "longAsString" in field && field.longAsString;
}

/** Whether the value is an object, and not an array or null. */
export function isJsonObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** The enum whose JSON is null. */
export const nullValue = "google.protobuf.NullValue";

/** `__proto__` needs special care as a key of plain objects. */
export const prototypeKey = "__proto__";
