// Makes a request to begin with from a message's descriptor: fields of one value, and whatever a path needs.
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { Binding } from "../rest/route/binding.js";
import type { JsonObject, JsonValue } from "./browser/method.js";

/**
 * The JSON of a request: texts are the names of their fields, all else is its default. Members of oneofs are left out,
 * since there can be but one, and lists, maps and messages too, unless the path has a field of them.
 */
export function sampleOf(desc: DescMessage, binding?: Binding): JsonValue {
  if (hasCustomJsonRepresentation(desc)) return wellKnownSamples[desc.typeName] ?? {};
  const sample = Object.fromEntries(
    desc.fields.filter(({ oneof }) => oneof === undefined).flatMap((field) => samplePair(field)),
  );
  binding?.variables.forEach((_, index) => {
    setVariable(sample, binding, index);
  });
  return sample;
}

function samplePair(field: DescField): [string, JsonValue][] {
  if (field.fieldKind === "enum") return [[field.jsonName, field.enum.values[0]?.name ?? 0]];
  if (field.fieldKind !== "scalar") return [];
  return [[field.jsonName, field.scalar === ScalarType.STRING ? field.name : scalarDefault(field.scalar)]];
}

function scalarDefault(scalar: ScalarType): JsonValue {
  if (scalar === ScalarType.BOOL) return false;
  if (scalar === ScalarType.BYTES) return "";
  return is64Bit(scalar) ? "0" : 0;
}

/** Whether JSON has numbers of this type as strings. */
export function is64Bit(scalar: ScalarType): boolean {
  return [ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64, ScalarType.FIXED64, ScalarType.SFIXED64].includes(
    scalar,
  );
}

/** Puts a value into the sample that the pattern of a variable matches. */
function setVariable(sample: JsonObject, { template, variables }: Binding, index: number): void {
  const { fields = [] } = variables[index] ?? {};
  const { start = 0, end = 0 } = template.variables[index] ?? {};
  const pattern = template.segments.slice(start, end);
  const field = fields.at(-1);
  if (field === undefined) return;
  let parent = sample;
  for (const { jsonName } of fields.slice(0, -1)) {
    const inner = (parent[jsonName] ?? {}) as JsonObject;
    parent[jsonName] = inner;
    parent = inner;
  }
  const isName = pattern.length === 1 && pattern[0]?.kind === "single";
  const text = pattern
    .map((segment) => (segment.kind === "literal" ? decodeURIComponent(segment.text) : "1"))
    .join("/");
  parent[field.jsonName] = isName ? pathValue(field) : text;
}

function pathValue(field: DescField): JsonValue {
  if (field.fieldKind === "enum") return field.enum.values[0]?.name ?? 0;
  if (field.fieldKind === "message") return wellKnownSamples[field.message.typeName] ?? "1";
  if (field.fieldKind !== "scalar") return "1";
  if (field.scalar === ScalarType.STRING) return field.name;
  return field.scalar === ScalarType.BYTES ? "AQ==" : scalarDefault(field.scalar);
}

/** The JSON of well-known types. */
const wellKnownSamples: Readonly<Record<string, JsonValue>> = {
  "google.protobuf.Timestamp": "2026-01-01T00:00:00Z",
  "google.protobuf.Duration": "1s",
  "google.protobuf.FieldMask": "name",
  "google.protobuf.BoolValue": false,
  "google.protobuf.BytesValue": "AQ==",
  "google.protobuf.DoubleValue": 1,
  "google.protobuf.FloatValue": 1,
  "google.protobuf.Int32Value": 1,
  "google.protobuf.Int64Value": "1",
  "google.protobuf.StringValue": "text",
  "google.protobuf.UInt32Value": 1,
  "google.protobuf.UInt64Value": "1",
};
