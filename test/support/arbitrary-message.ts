// Random messages of any type, drawn from its descriptor.
import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect, reflectList, reflectMap, scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { anyPack, DurationSchema, FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { NodeSchema } from "../gen/manywire/test/rest/v1/everything_pb.js";

/** Which fields a random message may have. */
export type FieldFilter = (field: DescField) => boolean;

/** A message with some of its fields set, at most `depth` messages deep. */
export function messageOf(desc: DescMessage, isWanted: FieldFilter = () => true, depth = 4): fc.Arbitrary<Message> {
  const fields = depth === 0 ? [] : desc.fields.filter(isWanted);
  const values = fields.map((field) =>
    fc.option(fieldValueOf(field, isWanted, depth - 1), { nil: undefined, freq: 2 }),
  );
  return fc.tuple(...values).map((all) => {
    const message = reflect(desc);
    fields.forEach((field, index) => {
      if (all[index] !== undefined) message.set(field, all[index]);
    });
    return message.message;
  });
}

/** Sets the required fields, without which protobuf-es writes nothing. */
export function withRequired(desc: DescMessage, message: Message): Message {
  const target = reflect(desc, message);
  for (const field of desc.fields) {
    if (field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED && !target.isSet(field)) {
      target.set(field, scalarZeroValue(field.scalar ?? ScalarType.INT32, false));
    }
    if (field.message !== undefined)
      eachMessage(target, field, ({ desc: inner, message: one }) => withRequired(inner, one));
  }
  return message;
}

function eachMessage(target: ReflectMessage, field: DescField, visit: (message: ReflectMessage) => void): void {
  if (field.fieldKind === "list") for (const item of target.get(field)) visit(item as ReflectMessage);
  else if (field.fieldKind === "map") for (const [, value] of target.get(field)) visit(value as ReflectMessage);
  else if (field.fieldKind === "message" && target.isSet(field)) visit(target.get(field));
}

/** A value of a field, as reflection takes it. */
export function fieldValueOf(field: DescField, isWanted: FieldFilter, depth: number): fc.Arbitrary<unknown> {
  if (field.fieldKind === "list") {
    return fc.array(itemOf(field, isWanted, depth), { maxLength: 3 }).map((items) => {
      const list = reflectList(field);
      for (const item of items) list.add(item);
      return list;
    });
  }
  if (field.fieldKind !== "map") return itemOf(field, isWanted, depth);
  const key = scalarOf(field.mapKey).filter((any) => any !== "__proto__");
  return fc.array(fc.tuple(key, itemOf(field, isWanted, depth)), { maxLength: 3 }).map((entries) => {
    const map = reflectMap(field);
    for (const [name, item] of entries) map.set(name, item);
    return map;
  });
}

function itemOf(field: DescField, isWanted: FieldFilter, depth: number): fc.Arbitrary<unknown> {
  if (field.scalar !== undefined) return scalarOf(field.scalar);
  if (field.enum !== undefined) return enumOf(field.enum);
  return (
    wellKnownOf(field.message) ?? messageOf(field.message, isWanted, depth).map((any) => reflect(field.message, any))
  );
}

function enumOf(desc: DescEnum): fc.Arbitrary<number> {
  const known = fc.constantFrom(...desc.values.map(({ number }) => number));
  return desc.open && desc.typeName !== "google.protobuf.NullValue" ? fc.oneof(known, fc.integer()) : known;
}

/** Text with what paths, queries and JSON find special, and now and then a NUL, which only JSON can carry. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."ab/:?&=+%#.~ é€😀\"\\'{}*") }),
  fc.string({ unit: "binary", maxLength: 5 }),
  fc.constantFrom("", ".", "..", "a/../b", "%2F", "null", "__proto__", "$x", "a:b"),
);

const isNotMinusZero = (value: number) => !Object.is(value, -0);

/** A value of a scalar type. JSON cannot tell -0 from 0. */
export function scalarOf(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.DOUBLE:
      return fc.double().filter(isNotMinusZero);
    case ScalarType.FLOAT:
      return fc.float().filter(isNotMinusZero);
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 5 });
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    default:
      return fc.integer();
  }
}

const nanos = fc.integer({ min: 0, max: 999_999_999 });
const maskPath = fc.stringMatching(/^[a-z]{1,3}(?:_[a-z]{1,3}){0,2}(?:\.[a-z]{1,3}){0,2}$/);
const json = fc.jsonValue({ maxDepth: 2 }).map((any) => JSON.parse(JSON.stringify(any)) as JsonValue);

const wellKnown: Readonly<Record<string, (desc: DescMessage) => fc.Arbitrary<Message>>> = {
  "google.protobuf.Timestamp": (desc) =>
    fc
      .tuple(fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }), nanos)
      .map(([seconds, rest]) => build(desc, { seconds, nanos: rest })),
  "google.protobuf.Duration": (desc) =>
    fc
      .tuple(fc.bigInt({ min: 0n, max: 315_576_000_000n }), nanos, fc.constantFrom(1, -1))
      .map(([seconds, rest, sign]) => build(desc, { seconds: seconds * BigInt(sign), nanos: rest * sign || 0 })),
  "google.protobuf.FieldMask": (desc) => fc.array(maskPath, { maxLength: 3 }).map((paths) => build(desc, { paths })),
  "google.protobuf.Value": (desc) => json.map((any) => fromJson(desc, any)),
  "google.protobuf.ListValue": (desc) => fc.array(json, { maxLength: 3 }).map((any) => fromJson(desc, any)),
  "google.protobuf.Struct": (desc) =>
    fc.dictionary(fc.string({ maxLength: 3 }), json, { maxKeys: 3 }).map((any) => fromJson(desc, any)),
  "google.protobuf.Any": () =>
    fc.oneof(
      messageOf(NodeSchema, () => true, 1).map((node) => anyPack(NodeSchema, create(NodeSchema, node as object))),
      fc.integer().map((seconds) => anyPack(DurationSchema, create(DurationSchema, { seconds: BigInt(seconds) }))),
    ),
};

function wellKnownOf(desc: DescMessage): fc.Arbitrary<ReflectMessage> | undefined {
  if (isWrapperDesc(desc)) {
    const [field] = desc.fields;
    return scalarOf(field.scalar).map((value) => {
      const message = reflect(desc);
      message.set(field, value);
      return message;
    });
  }
  return wellKnown[desc.typeName]?.(desc).map((message) => reflect(desc, message));
}

function build(desc: DescMessage, init: Record<string, unknown>): Message {
  return create(desc, init);
}
