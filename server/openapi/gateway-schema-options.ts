// Reads the options of grpc-gateway's protoc-gen-openapiv2 on messages and fields: texts, examples, and keywords that JSON
// Schema has, too. What the wire says counts before them: types and references are not read.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { readExternalDocs, readOption } from "./gateway-options.js";
import { withoutWildcards } from "./resource-names.js";
import { constrain } from "./rule-keywords.js";
import { scalarSchema } from "./scalar-schema.js";
import type { Schema } from "./types.js";
import type { WireFields } from "./wire-fields.js";

/** What an option says of a schema. */
interface SchemaOptions {
  /** Title, description, example, default, read-only mark, external docs: they fit every schema. */
  readonly annotations: Schema;
  /** Keywords by the type of JSON that they limit. */
  readonly limits: Readonly<Record<"string" | "number" | "array" | "object", Schema>>;
  /** Names of fields that a request must have. */
  readonly required: readonly string[];
}

const noLimits = { string: {}, number: {}, array: {}, object: {} };
const noOptions: SchemaOptions = { annotations: {}, limits: noLimits, required: [] };

const known = new WeakMap<DescField | DescMessage, SchemaOptions>();

/** The option of a message or a field. */
function optionsOf(desc: DescField | DescMessage): SchemaOptions {
  const options = known.get(desc) ?? readSchemaOptions(desc);
  known.set(desc, options);
  return options;
}

function readSchemaOptions(desc: DescField | DescMessage): SchemaOptions {
  const option = readOption(desc.proto.options);
  if (option === undefined) return noOptions;
  return desc.kind === "field" ? readJsonSchema(option, isTextField(desc)) : readMessageSchema(option);
}

/** `Schema` of openapiv2.proto: a `JSONSchema`, and more. */
function readMessageSchema(option: WireFields): SchemaOptions {
  const { annotations, ...options } = readJsonSchema(option.message(1), false);
  const externalDocs = readExternalDocs(option.message(5));
  return {
    ...options,
    annotations: {
      ...annotations,
      ...(option.number(3) === 0 ? {} : { readOnly: true }),
      ...(externalDocs && { externalDocs }),
      ...jsonOf("example", option.text(6), false),
    },
  };
}

/** `JSONSchema` of openapiv2.proto. Its fields have no presence: zero is not set. */
function readJsonSchema(option: WireFields, isText: boolean): SchemaOptions {
  const description = option.text(6);
  return {
    annotations: {
      ...set("title", option.text(5)),
      ...set("description", description && withoutWildcards(description)),
      ...jsonOf("default", option.text(7), isText),
      ...(option.number(8) === 0 ? {} : { readOnly: true }),
      ...jsonOf("example", option.text(9), isText),
    },
    limits: {
      number: {
        ...set("multipleOf", option.double(10)),
        ...set(option.number(12) === 0 ? "maximum" : "exclusiveMaximum", option.double(11)),
        ...set(option.number(14) === 0 ? "minimum" : "exclusiveMinimum", option.double(13)),
      },
      string: {
        ...set("maxLength", option.number(15)),
        ...set("minLength", option.number(16)),
        ...set("pattern", option.text(17)),
        ...set("format", option.text(36)),
        ...(option.texts(46).length === 0 ? {} : { enum: option.texts(46) }),
      },
      array: {
        ...set("maxItems", option.number(20)),
        ...set("minItems", option.number(21)),
        ...(option.number(22) === 0 ? {} : { uniqueItems: true }),
      },
      object: { ...set("maxProperties", option.number(24)), ...set("minProperties", option.number(25)) },
    },
    required: option.texts(26),
  };
}

function set(keyword: string, value: string | number | undefined): Schema {
  return value === undefined || value === 0 || value === "" ? {} : { [keyword]: value };
}

/** A value that is written as JSON. @param isText whether a text without quotes is one, too */
function jsonOf(keyword: string, json: string | undefined, isText: boolean): Schema {
  if (json === undefined) return {};
  try {
    const value: unknown = JSON.parse(json);
    return { [keyword]: isText && typeof value !== "string" ? json : value };
  } catch {
    return isText ? { [keyword]: json } : {};
  }
}

/** Whether the JSON of a field is a string. */
function isTextField(field: DescField): boolean {
  return field.fieldKind === "enum" || (field.fieldKind === "scalar" && scalarSchema(field.scalar).type === "string");
}

/** The schema of a field, or a parameter for it, with the limits of its option. */
export function limitByOption(schema: Schema, field: DescField): Schema {
  const { limits } = optionsOf(field);
  const type = schema.type === "integer" ? "number" : schema.type;
  const own = type === "string" || type === "number" || type === "array" || type === "object" ? limits[type] : {};
  return constrain(schema, own);
}

/** Title, description, example, default and mark that an option gives. */
export function optionAnnotations(desc: DescField | DescMessage): Schema {
  return optionsOf(desc).annotations;
}

/** The description of a field or a message that its option has. */
export function optionDescription(desc: DescField | DescMessage): string | undefined {
  const { description } = optionsOf(desc).annotations;
  return typeof description === "string" ? description : undefined;
}

/** The limits that an option has for the object of a message. */
export function objectLimits(desc: DescMessage): Schema {
  return optionsOf(desc).limits.object;
}

/** Whether an option of the field, or of its message, says that a request must have it. */
export function isRequiredByOption(field: DescField): boolean {
  return [field, field.parent].some((desc) => {
    const { required } = optionsOf(desc);
    return required.includes(field.name) || required.includes(field.jsonName);
  });
}
