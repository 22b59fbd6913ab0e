// Turns a message into the JSON of a body: the whole of it, or one field, by the rules of ProtoJSON
// (https://protobuf.dev/programming-guides/json/).
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  enumToJson,
  type JsonValue,
  type JsonWriteOptions,
  type Message,
  type ScalarType,
} from "@bufbuild/protobuf";
import { reflect, scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { toWholeJson } from "../codec/prototype-key.js";
import { hasImplicitPresence } from "./fields.js";

/** How JSON is written; the registry is what a `google.protobuf.Any` is written with. */
export type JsonOptions = Partial<JsonWriteOptions>;

/** Gives the JSON of a message, or of its field; undefined if the field has presence, and is absent. */
export type JsonWriter = (message: Message) => JsonValue | undefined;

/** @param field the field whose JSON the body is; undefined if it is that of the message */
export function createJsonWriter(desc: DescMessage, field: DescField | undefined, options: JsonOptions): JsonWriter {
  if (field === undefined) return (message) => toWholeJson(desc, message, options);
  const name = options.useProtoFieldName === true ? field.name : field.jsonName;
  const absent = defaultJson(field, options);
  return (message) => {
    if (!reflect(desc, message, false).isSet(field)) return absent;
    return (toWholeJson(desc, message, options) as Record<string, JsonValue>)[name];
  };
}

/** The JSON of a field that is not set, as `alwaysEmitImplicit` would write it; undefined for one with presence. */
function defaultJson(field: DescField, options: JsonOptions): JsonValue | undefined {
  if (field.fieldKind === "list") return [];
  if (field.fieldKind === "map") return {};
  if (!hasImplicitPresence(field)) return undefined;
  if (field.fieldKind === "enum") return enumJson(field.enum, options);
  return field.fieldKind === "scalar" ? scalarJson(field.scalar) : undefined;
}

function enumJson(desc: DescEnum, options: JsonOptions): JsonValue {
  if (desc.typeName === "google.protobuf.NullValue") return null;
  return options.enumAsInteger === true ? 0 : enumToJson(desc, 0);
}

function scalarJson(type: ScalarType): JsonValue {
  const zero = scalarZeroValue(type, true);
  return zero instanceof Uint8Array ? "" : zero;
}
