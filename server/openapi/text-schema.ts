// Turns fields into schemas of their values as text, in a path or a query: what leaf.ts reads.
import type { DescField } from "@bufbuild/protobuf";
import { constraintsOf } from "./constraints.js";
import { limitByOption, optionAnnotations } from "./gateway-schema-options.js";
import type { MessageSchemas } from "./message-schema.js";
import { constrain } from "./rule-keywords.js";
import type { Schema } from "./types.js";
import { wellKnownSchema } from "./well-known-schema.js";

/** Names of fields as they are in the proto or in camel case. */
const maskPath = "(?:\\*|[a-z_]\\w*(?:\\.(?:\\*|\\w+))*)";
const fieldMask: Schema = {
  type: "string",
  pattern: `^(?:${maskPath}(?:,${maskPath})*)?$`,
  description: "Paths of fields, separated by commas, such as `name,address.zip_code`.",
  example: "name",
};

/** The schema of one value of a field, whose text is that of its JSON without quotes; of all items, if it is a list. */
export function textSchema(field: DescField, schemas: MessageSchemas): Schema {
  const { keywords, itemKeywords } = constraintsOf(field);
  const item = itemSchema(field, schemas);
  const schema =
    field.fieldKind === "list"
      ? { type: "array", items: constrain(item, itemKeywords), ...keywords }
      : constrain(item, keywords);
  const { description: _, readOnly: __, ...annotations } = optionAnnotations(field);
  return { ...limitByOption(schema, field), ...annotations };
}

function itemSchema(field: DescField, schemas: MessageSchemas): Schema {
  if (field.message?.typeName === "google.protobuf.FieldMask") return fieldMask;
  if (field.enum?.typeName === "google.protobuf.NullValue") return { type: "string", enum: ["NULL_VALUE"] };
  return (field.message && wellKnownSchema(field.message)) ?? schemas.item(field);
}
