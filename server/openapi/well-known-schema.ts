// Turns the messages that have a JSON form of their own into schemas of it (https://protobuf.dev/programming-guides/json/).
import type { DescMessage, Registry } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { scalarSchema } from "./scalar-schema.js";
import type { Schema } from "./types.js";

/** The schema of a wrapper, which stands wherever its scalar would; undefined for other messages. */
export function wrapperSchema(desc: DescMessage): Schema | undefined {
  const scalar = isWrapperDesc(desc) ? desc.fields[0].scalar : undefined;
  return scalar === undefined ? undefined : scalarSchema(scalar);
}

/**
 * The schema of a well-known type; undefined for other messages.
 *
 * @param registry types that a `google.protobuf.Any` may hold, to be listed
 * @param refer gives the schema of a message that an Any may hold
 */
export function wellKnownSchema(
  desc: DescMessage,
  registry: Registry | undefined,
  refer: (desc: DescMessage) => Schema,
): Schema | undefined {
  return desc.typeName === "google.protobuf.Any" ? anySchema(registry, refer) : schemas[desc.typeName];
}

/** Names of fields in camel case; "_" would not come back as it was. */
export const fieldMaskPattern = "^[^_]*$";

const schemas: Readonly<Record<string, Schema>> = {
  "google.protobuf.Timestamp": {
    type: "string",
    format: "date-time",
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$",
    description: "A point in time by RFC 3339, such as `2024-02-29T12:00:00.5Z`.",
  },
  "google.protobuf.Duration": {
    type: "string",
    format: "duration-seconds",
    pattern: "^-?[0-9]{1,12}(?:\\.[0-9]{1,9})?s$",
    description: "Seconds with at most nine decimals and `s` behind, such as `1.5s`; at most 315,576,000,000.",
  },
  "google.protobuf.FieldMask": {
    type: "string",
    pattern: fieldMaskPattern,
    description: "Paths of fields in camel case with commas between, such as `name,address.zipCode`.",
  },
  "google.protobuf.Struct": { type: "object", additionalProperties: true, description: "Any JSON object." },
  "google.protobuf.ListValue": { type: "array", items: {}, description: "Any JSON array." },
  "google.protobuf.Value": { description: "Any JSON." },
};

/**
 * A message with its type beside its fields; beside `value`, if the message's JSON is no object of fields. The server knows
 * more types than those of the registry: listing them would list every message of every served file.
 */
function anySchema(registry: Registry | undefined, refer: (desc: DescMessage) => Schema): Schema {
  const known = [...(registry ?? [])].filter((type) => type.kind === "message");
  const alternatives = known.map((desc) => {
    const type = { "@type": { const: `type.googleapis.com/${desc.typeName}` } };
    if (hasCustomJsonRepresentation(desc)) {
      return { type: "object", properties: { ...type, value: refer(desc) }, required: ["@type", "value"] };
    }
    return { allOf: [refer(desc), { type: "object", properties: type, required: ["@type"] }] };
  });
  const other = { type: "object", properties: { "@type": { type: "string" } }, additionalProperties: true };
  const description = "A message, with its type in `@type`, such as `type.googleapis.com/google.protobuf.Duration`.";
  return alternatives.length === 0 ? { ...other, description } : { anyOf: [...alternatives, other], description };
}
