// Turns the rules of protovalidate on a field into the keywords of JSON Schema that say the same, where there are some
// (https://buf.build/bufbuild/protovalidate/docs/main:buf.validate). The rules are found by reflection, in the schema's own
// copy of buf/validate/validate.proto: whether anything enforces them is the server's choice.
import {
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescFile,
  type DescOneof,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { hasImplicitPresence } from "../rest/fields.js";
import { withDependencies } from "../schema/descriptor-index.js";
import { listKeywords, sized } from "./rule-keywords.js";
import { stringKeywords } from "./string-constraints.js";
import type { Schema } from "./types.js";

/** What rules say of one field. */
interface Constraints {
  /** Keywords to be added to the field's schema. */
  readonly keywords: Schema;
  /** Keywords for the items of a list, or the values of a map. */
  readonly itemKeywords: Schema;
  /** Keywords for the keys of a map. */
  readonly keyKeywords: Schema;
  /** Whether a message without the field breaks the rules. */
  readonly isRequired: boolean;
}

const none: Constraints = { keywords: {}, itemKeywords: {}, keyKeywords: {}, isRequired: false };

const constraints = new WeakMap<DescField, Constraints>();

/** The rules of a field. */
export function constraintsOf(field: DescField): Constraints {
  const known = constraints.get(field) ?? readConstraints(field);
  constraints.set(field, known);
  return known;
}

function readConstraints(field: DescField): Constraints {
  const rules = rulesOf(field, "buf.validate.field");
  if (rules === undefined || rules.ignore === "IGNORE_ALWAYS") return none;
  const repeated = objectIn(rules, "repeated");
  const map = objectIn(rules, "map");
  const own = { ...keywordsOf(rules, field.enum), ...sizeKeywords(repeated, map) };
  const keywords = rules.required === true ? { ...own, ...nonZeroKeywords(field, own) } : own;
  const zero = zeroOf(field);
  const mayBeZero = String(rules.ignore).startsWith("IGNORE_IF_") || zero === undefined;
  return {
    keywords: mayBeZero && zero !== undefined && isKeywords(own) ? { anyOf: [{ const: zero }, own] } : keywords,
    itemKeywords: keywordsOf(objectIn(repeated, "items") ?? objectIn(map, "values"), field.enum),
    keyKeywords: keywordsOf(objectIn(map, "keys"), undefined),
    isRequired: rules.required === true || (!mayBeZero && refuses(keywords, zero)),
  };
}

/** Whether one member of a oneof has to be set. */
export function isOneofRequired(oneof: DescOneof): boolean {
  return rulesOf(oneof, "buf.validate.oneof")?.required === true;
}

const extensions = new WeakMap<DescFile, ReadonlyMap<string, DescExtension>>();

/** The extensions of protovalidate that a file can use, by full name. */
function extensionsOf(file: DescFile): ReadonlyMap<string, DescExtension> {
  const known = extensions.get(file);
  if (known !== undefined) return known;
  const validate = withDependencies([file]).get("buf/validate/validate.proto");
  const found = new Map(validate?.extensions.map((extension) => [extension.typeName, extension]));
  extensions.set(file, found);
  return found;
}

/** The rules as JSON, which has the same names for every copy of the file. */
function rulesOf(desc: DescField | DescOneof, name: string): JsonObject | undefined {
  const extension = extensionsOf(desc.parent.file).get(name);
  if (extension?.message === undefined || !hasOption(desc, extension)) return undefined;
  return toJson(extension.message, getOption(desc, extension) as Message) as JsonObject;
}

function keywordsOf(rules: JsonObject | undefined, desc: DescEnum | undefined): Schema {
  if (rules === undefined) return {};
  if (desc !== undefined) return enumKeywords(objectIn(rules, "enum") ?? {}, desc);
  const text = objectIn(rules, "string");
  if (text !== undefined) return stringKeywords(text);
  const name = Object.keys(rules).find((key) => /^(?:double|float|bool|[su]?int(?:32|64)|s?fixed(?:32|64))$/.test(key));
  return name === undefined ? {} : numberKeywords(objectIn(rules, name) ?? {});
}

/** 64-bit numbers are text in JSON, which has no order: of their rules only the lists of values can be said. */
function numberKeywords(rules: JsonObject): Schema {
  const { gt, gte, lt, lte } = rules;
  const lower = pick({ exclusiveMinimum: gt, minimum: gte });
  const upper = pick({ exclusiveMaximum: lt, maximum: lte });
  const least = gt ?? gte;
  const greatest = lt ?? lte;
  // Bounds the wrong way round mean what is outside of them.
  const isOutside = typeof least === "number" && typeof greatest === "number" && least >= greatest;
  const range = isOutside ? { anyOf: [lower, upper] } : { ...lower, ...upper };
  return { ...range, ...listKeywords(rules) };
}

function pick(bounds: Record<string, JsonValue | undefined>): Schema {
  return Object.fromEntries(Object.entries(bounds).filter(([, bound]) => typeof bound === "number"));
}

function enumKeywords(rules: JsonObject, desc: DescEnum): Schema {
  const nameOf = (number: JsonValue) => desc.value[Number(number)]?.name ?? number;
  const named = Object.entries(rules).map(([key, value]) => [
    key,
    Array.isArray(value) ? value.map(nameOf) : key === "const" ? nameOf(value) : value,
  ]);
  return listKeywords(Object.fromEntries(named));
}

/** Sizes are 64-bit numbers, and so text. */
function sizeKeywords(repeated: JsonObject | undefined, map: JsonObject | undefined): Schema {
  return {
    ...sized("minItems", repeated?.minItems),
    ...sized("maxItems", repeated?.maxItems),
    ...(repeated?.unique === true ? { uniqueItems: true } : {}),
    ...sized("minProperties", map?.minPairs),
    ...sized("maxProperties", map?.maxPairs),
  };
}

/** A field without presence that is required must not have its zero value. */
function nonZeroKeywords(field: DescField, { minLength, minItems, minProperties }: Schema): Schema {
  if (field.fieldKind === "list") return { minItems: minItems ?? 1 };
  if (field.fieldKind === "map") return { minProperties: minProperties ?? 1 };
  return zeroOf(field) === "" && field.enum === undefined ? { minLength: minLength ?? 1 } : {};
}

/** What a message without the field has in its place, as JSON; undefined if that is nothing. */
function zeroOf(field: DescField): JsonValue | undefined {
  if (field.fieldKind === "list") return [];
  if (field.fieldKind === "map") return {};
  if (!hasImplicitPresence(field)) return undefined;
  if (field.fieldKind === "enum") return field.enum.values[0]?.name;
  const zero = field.fieldKind === "scalar" ? scalarZeroValue(field.scalar, true) : undefined;
  return zero instanceof Uint8Array ? "" : zero;
}

/** Whether the zero value does not fit the keywords. */
function refuses(keywords: Schema, zero: JsonValue): boolean {
  const { minLength, minItems, minProperties, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = keywords;
  const { const: only, enum: listed, pattern, format, allOf, anyOf } = keywords;
  const within = (schemas: unknown) => (Array.isArray(schemas) ? (schemas as Schema[]) : []);
  return [
    Math.max(...[minLength, minItems, minProperties].map((size) => Number(size ?? 0))) > 0,
    Number(minimum ?? 0) > 0 || Number(maximum ?? 0) < 0,
    Number(exclusiveMinimum ?? -1) >= 0 || Number(exclusiveMaximum ?? 1) <= 0,
    only !== undefined && only !== zero,
    Array.isArray(listed) && !listed.includes(zero),
    zero === "" && (format !== undefined || (typeof pattern === "string" && !new RegExp(pattern, "u").test(""))),
    within(allOf).some((schema) => refuses(schema, zero)),
    within(anyOf).length > 0 && within(anyOf).every((schema) => refuses(schema, zero)),
  ].some(Boolean);
}

function isKeywords(keywords: Schema): boolean {
  return Object.keys(keywords).length > 0;
}

function objectIn(json: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = json?.[key];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
}
