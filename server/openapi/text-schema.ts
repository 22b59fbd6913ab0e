// Turns fields into schemas of their values as text, in a path or a query: what leaf.ts reads.
import type { DescField } from "@bufbuild/protobuf";
import { constraintsOf } from "./constraints.js";
import type { MessageSchemas } from "./message-schema.js";
import type { Schema } from "./types.js";

/** Names of fields as they are in the proto or in camel case. */
const maskPath = "(?:\\*|[a-z_]\\w*(?:\\.(?:\\*|\\w+))*)";
const fieldMask: Schema = {
  type: "string",
  pattern: `^(?:${maskPath}(?:,${maskPath})*)?$`,
  description: "Paths of fields with commas between, such as `name,address.zip_code`.",
};

/** The schema of one value of a field, whose text is that of its JSON without quotes; of all items, if it is a list. */
export function textSchema(field: DescField, schemas: MessageSchemas): Schema {
  const { keywords, itemKeywords } = constraintsOf(field);
  const item = itemSchema(field, schemas);
  return field.fieldKind === "list"
    ? { type: "array", items: { ...item, ...itemKeywords }, ...keywords }
    : { ...item, ...keywords };
}

function itemSchema(field: DescField, schemas: MessageSchemas): Schema {
  if (field.message?.typeName === "google.protobuf.FieldMask") return fieldMask;
  if (field.enum?.typeName === "google.protobuf.NullValue") return { type: "string", enum: ["NULL_VALUE"] };
  return schemas.item(field);
}
