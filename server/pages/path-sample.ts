// Puts values into a sample that match the path of a route.
import { type DescField, ScalarType } from "@bufbuild/protobuf";
import type { Binding } from "../rest/route/binding.js";
import type { JsonObject, JsonValue } from "./browser/method.js";
import { scalarSample, wellKnownSample } from "./value-sample.js";

/** @param index of the variable */
export function setPathVariable(sample: JsonObject, { template, variables }: Binding, index: number): void {
  const { fields = [] } = variables[index] ?? {};
  const { start = 0, end = 0 } = template.variables[index] ?? {};
  const pattern = template.segments.slice(start, end);
  const field = fields.at(-1);
  if (field === undefined) return;
  let parent = sample;
  for (const one of fields.slice(0, -1)) {
    dropRivals(parent, one);
    const inner = (parent[one.jsonName] ?? {}) as JsonObject;
    parent[one.jsonName] = inner;
    parent = inner;
  }
  dropRivals(parent, field);
  const isName = pattern.length === 1 && pattern[0]?.kind === "single";
  const text = pattern
    .map((segment) => (segment.kind === "literal" ? decodeURIComponent(segment.text) : "1"))
    .join("/");
  parent[field.jsonName] = isName ? pathValue(field) : text;
}

/** Removes the other members of the field's oneof. */
function dropRivals(sample: JsonObject, field: DescField): void {
  for (const other of field.oneof?.fields ?? []) if (other !== field) delete sample[other.jsonName];
}

function pathValue(field: DescField): JsonValue {
  if (field.fieldKind === "enum") return (field.enum.values[1] ?? field.enum.values[0])?.name ?? 0;
  if (field.fieldKind === "message") return wellKnownSample(field.message) ?? "1";
  return scalarSample(field.fieldKind === "scalar" ? field.scalar : ScalarType.STRING, field.name);
}
