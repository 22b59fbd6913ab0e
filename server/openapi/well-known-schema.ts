// Turns the messages that have a JSON form of their own into schemas of it (https://protobuf.dev/programming-guides/json/).
import type { DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { scalarSchema } from "./scalar-schema.js";
import type { Schema } from "./types.js";

/** The schema of a wrapper, which stands wherever its scalar would; undefined for other messages. */
export function wrapperSchema(desc: DescMessage): Schema | undefined {
  const scalar = isWrapperDesc(desc) ? desc.fields[0].scalar : undefined;
  return scalar === undefined ? undefined : scalarSchema(scalar);
}

/** The schema of a well-known type; undefined for other messages. */
export function wellKnownSchema(desc: DescMessage): Schema | undefined {
  return schemas[desc.typeName];
}

/** Names of fields in camel case. "_" does not survive the way to snake case and back. */
const fieldMaskPattern = "^[^_]*$";

const schemas: Readonly<Record<string, Schema>> = {
  "google.protobuf.Timestamp": {
    type: "string",
    format: "date-time",
    description: "A point in time by RFC 3339, with nine decimals at most.",
    example: "2024-02-29T12:00:00.500Z",
  },
  "google.protobuf.Duration": {
    type: "string",
    format: "duration-seconds",
    pattern: "^-?[0-9]{1,12}(?:\\.[0-9]{1,9})?s$",
    description: "Seconds with nine decimals at most, and `s` at the end. The maximum is 315,576,000,000 seconds.",
    example: "1.500s",
  },
  "google.protobuf.FieldMask": {
    type: "string",
    pattern: fieldMaskPattern,
    description: "Paths of fields in camel case, separated by commas, such as `name,address.zipCode`.",
    example: "name",
  },
  "google.protobuf.Struct": {
    type: "object",
    additionalProperties: true,
    description: "Any JSON object.",
    example: { key: "value" },
  },
  "google.protobuf.ListValue": { type: "array", items: {}, description: "Any JSON array.", example: ["value"] },
  "google.protobuf.Value": { description: "Any JSON.", example: "value" },
  // The types that an Any may hold are not listed: they would be all messages of all served files.
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string" } },
    additionalProperties: true,
    description:
      "A message with its type in `@type`. A type whose JSON is not an object of fields has its JSON in `value`.",
    example: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1.500s" },
  },
};
