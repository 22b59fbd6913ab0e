// Writes the JSON schema (draft 7, which editors know) of the configuration file of `manywire proxy`.
import { configMapping, type Field, type Fields } from "./config-fields.js";

/** Where the schema of the newest version is published. */
export const configSchemaUrl = "https://unpkg.com/manywire/proxy.schema.json";

export function createConfigSchema(): object {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: configSchemaUrl,
    title: "Configuration of manywire proxy",
    ...mappingSchema(configMapping.fields),
  };
}

function mappingSchema(fields: Fields): object {
  const required = Object.keys(fields).filter((key) => fields[key]?.isRequired === true);
  return {
    type: "object",
    properties: Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, fieldSchema(field)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function fieldSchema({ text, shape }: Field): object {
  if (shape.kind === "mapping") return { description: text, ...mappingSchema(shape.fields) };
  if (shape.kind === "list") {
    return { description: text, type: "array", minItems: 1, items: mappingSchema(shape.item.fields) };
  }
  if (shape.kind === "data") return { description: text, type: "object" };
  const otherwise = shape.default === undefined ? "" : ` (default: ${shape.default})`;
  return { description: `${text}${otherwise}`, ...shape.of.schema };
}
