// Makes a sample request from the descriptor of a message. The server accepts it. Nested messages are two levels deep.
import { type DescField, type DescMessage, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { behaviorOf } from "../openapi/behavior.js";
import { type Claims, claimsOf, hasClaimedRival, noClaims, pathClaimsOf } from "../rest/claims.js";
import { isHttpBody, isNested } from "../rest/fields.js";
import { leafOf } from "../rest/leaf.js";
import type { Binding } from "../rest/route/binding.js";
import type { JsonObject, JsonValue } from "./browser/method.js";
import { setPathVariable } from "./path-sample.js";
import { httpBodySample, scalarSample, wellKnownSample } from "./value-sample.js";

/** Deeper messages are left out, unless they are required. */
const depth = 2;
/** Also limits required messages. */
const requiredDepth = 6;

/**
 * Returns the JSON of a request. Each oneof has one member, each list and map one item. Fields that a client does not
 * set are left out: OUTPUT_ONLY, deprecated, page tokens, and `Any`, whose type cannot be guessed.
 *
 * @param binding the route that the request is for: its path gets values that match, its query only what it can carry
 */
export function sampleOf(desc: DescMessage, binding?: Binding): JsonValue {
  if (hasCustomJsonRepresentation(desc)) return wellKnownSample(desc) ?? {};
  const sample = messageSample(desc, placeOf(binding));
  binding?.variables.forEach((_, index) => {
    setPathVariable(sample, binding, index);
  });
  return sample;
}

/** Where a message of the sample is. */
interface Place {
  /** The fields that the path sets, and the one that is the body. */
  readonly claims: ReadonlyMap<DescField, Claims>;
  /** The field that is the body. */
  readonly bodyField: DescField | undefined;
  /** Whether all other fields are sent in the query. */
  readonly isQuery: boolean;
  /** The messages around it. */
  readonly within: readonly DescMessage[];
}

/** The place of the request itself. */
function placeOf(binding: Binding | undefined): Place {
  if (binding === undefined) return { claims: noClaims, bodyField: undefined, isQuery: false, within: [] };
  const claims = claimsOf(binding);
  if (claims === "whole") return { claims: pathClaimsOf(binding), bodyField: undefined, isQuery: false, within: [] };
  const bodyField = binding.requestBody.kind === "none" ? undefined : binding.requestBody.field;
  return { claims, bodyField, isQuery: true, within: [] };
}

function messageSample(desc: DescMessage, place: Place): JsonObject {
  if (isHttpBody(desc)) return { ...httpBodySample };
  const members: [string, JsonValue][] = [];
  const filled = new Set<DescOneof>();
  for (const field of desc.fields) {
    const { oneof } = field;
    if (isNeverSet(field) || hasClaimedRival(place.claims, field) || (oneof && filled.has(oneof))) continue;
    const value = isMask(field) ? maskSample(field) : fieldSample(field, place);
    if (value === undefined) continue;
    members.push([keyOf(field, place), value]);
    if (oneof !== undefined) filled.add(oneof);
  }
  return Object.fromEntries(members);
}

/** The name in JSON. In a query a dot separates names, and a dollar begins a parameter that is not a field. */
function keyOf(field: DescField, { isQuery, bodyField }: Place): string {
  const isPlain = !isQuery || field === bodyField || !/^\$|\./.test(field.jsonName);
  return isPlain ? field.jsonName : field.name;
}

function isNeverSet(field: DescField): boolean {
  return field.deprecated || field.name === "page_token" || behaviorOf(field).keywords.readOnly === true;
}

function fieldSample(field: DescField, place: Place): JsonValue | undefined {
  const isQuery = place.isQuery && field !== place.bodyField;
  if (isQuery && leafOf(field) === undefined && !isNested(field)) return undefined;
  const claims = place.claims.get(field) ?? noClaims;
  const inner: Place = {
    claims: claims === "whole" ? noClaims : claims,
    bodyField: undefined,
    isQuery,
    within: [...place.within, field.parent],
  };
  const value = valueSample(field, inner);
  if (value === undefined) return undefined;
  if (field.fieldKind === "list") return [value];
  return field.fieldKind === "map" ? { [keySample(field.mapKey)]: value } : value;
}

/** The sample of a value, of an item of a list, or of a value of a map. */
function valueSample(field: DescField, place: Place): JsonValue | undefined {
  const { enum: enumeration, message, scalar } = field;
  if (enumeration?.typeName === "google.protobuf.NullValue") return null;
  // The first value is the one that stands for none.
  if (enumeration !== undefined) return (enumeration.values[1] ?? enumeration.values[0])?.name ?? 0;
  if (message === undefined) return scalarSample(scalar ?? ScalarType.STRING, field.name);
  if (hasCustomJsonRepresentation(message)) return wellKnownSample(message);
  const limit = behaviorOf(field).isRequired ? requiredDepth : depth;
  if (place.within.includes(message) || place.within.length > limit) return undefined;
  return messageSample(message, place);
}

function keySample(scalar: ScalarType): string {
  return scalar === ScalarType.STRING ? "key" : String(scalarSample(scalar, "key"));
}

function isMask({ fieldKind, message }: DescField): boolean {
  return fieldKind === "message" && message.typeName === "google.protobuf.FieldMask";
}

/** `update_mask` names a field of the message beside it (https://google.aip.dev/134). */
function maskSample({ parent, name }: DescField): string {
  const beside = name === "update_mask" ? parent.fields.find(isNested)?.message : undefined;
  const resource = beside ?? parent;
  const named = resource.fields.find(
    (field) => field.localName === field.jsonName && field.name !== "name" && !isNeverSet(field) && !isMask(field),
  );
  return named?.jsonName ?? "name";
}
