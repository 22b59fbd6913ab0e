// Describes a method of the call table and its routes for the landing page.
import { type DescField, type DescMessage, type DescMethod, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Method } from "../call/method.js";
import type { Binding } from "../rest/route/binding.js";
import { printTemplate, type Segment } from "../rest/route/template.js";
import type { FieldName, JsonValue, MethodInfo, Route } from "./browser/method.js";
import { listFileFields } from "./file-fields.js";
import { sampleOf } from "./sample.js";
import { is64Bit } from "./value-sample.js";

/** @param bindings those of the method. @param hasReflection whether tools can ask the server for its schema */
export function toMethodInfo(
  { spec, protocols }: Method,
  bindings: readonly Binding[],
  hasReflection: boolean,
): MethodInfo {
  const { method } = spec;
  const { file } = method.parent;
  const routes = bindings.map(describeRoute);
  const [first] = routes;
  return {
    service: method.parent.typeName,
    name: method.name,
    kind: method.methodKind,
    protocols: [...protocols],
    isSafe: isSafe(method, bindings),
    routes: routes.map((route) => (route === first ? { ...route, sample: undefined } : route)),
    sample: first?.sample ?? sampleOf(method.input),
    files: listFileFields(method.input),
    protoFile: hasReflection ? undefined : `${file.name}.proto`,
    typescript: {
      module: `./gen/${file.name}_pb.js`,
      service: method.parent.name,
      method: method.localName,
      isPlain: isPlain(method.input, new Set()),
    },
  };
}

/** @param binding one of the routes of a method */
export function describeRoute(binding: Binding): Route & { readonly sample: JsonValue } {
  const { httpMethod, template, requestBody } = binding;
  return {
    httpMethod,
    template: printTemplate(template),
    segments: segmentsOf(binding),
    verb: template.verb,
    body: requestBody.kind,
    bodyField: requestBody.kind === "none" || requestBody.field === undefined ? undefined : nameOf(requestBody.field),
    sample: sampleOf(binding.method.input, binding),
  };
}

/** Whether calling the method changes nothing: it says so, or has a route of GET (RFC 9110 section 9.2.1). */
function isSafe({ idempotency }: DescMethod, bindings: readonly Binding[]): boolean {
  const isDeclared = idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  return isDeclared || bindings.some(({ httpMethod }) => httpMethod === "GET");
}

function segmentsOf({ template, variables }: Binding): Route["segments"] {
  return template.segments.flatMap((segment, index): Route["segments"] => {
    const position = template.variables.findIndex(({ start, end }) => start <= index && index < end);
    const variable = variables[position];
    if (variable === undefined) return unbound(segment);
    if (template.variables[position]?.start !== index) return [];
    return [{ fields: variable.fields.map(nameOf), isMultiSegment: variable.isMultiSegment }];
  });
}

/** A segment that no field sets. */
function unbound(segment: Segment): string[] {
  if (segment.kind === "literal") return [segment.text];
  return segment.kind === "single" ? ["-"] : [];
}

function nameOf({ jsonName, name }: DescField): FieldName {
  return [jsonName, name];
}

/** Whether the JSON of every value is also an initialiser of the generated type. */
function isPlain(desc: DescMessage, within: Set<DescMessage>): boolean {
  if (within.has(desc)) return true;
  within.add(desc);
  return !hasCustomJsonRepresentation(desc) && desc.fields.every((field) => isPlainField(field, within));
}

function isPlainField(field: DescField, within: Set<DescMessage>): boolean {
  if (field.oneof !== undefined || field.localName !== field.jsonName) return false;
  const { scalar, message } = field;
  if (field.enum !== undefined) return false;
  if (message !== undefined) return isPlain(message, within);
  return scalar !== ScalarType.BYTES && scalar !== undefined && !is64Bit(scalar);
}
