/** The JSON of protobuf-es, which every page with a generated service has, as the codec of REST in browsers. */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonReadOptions,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import type { JsonCodec } from "../../server/codec/json.js";
import { isJsonObject } from "../../server/codec/json-facts.js";
import { hasImplicitPresence } from "../../server/codec/values.js";

export const browserJson: JsonCodec = {
  createDecoder(desc, { ignoreUnknownFields, registry }, field) {
    const options: Partial<JsonReadOptions> = {
      ...(ignoreUnknownFields !== undefined && { ignoreUnknownFields }),
      ...(registry !== undefined && { registry }),
    };
    let mayQuote: boolean | undefined;
    return (bytes) => {
      mayQuote ??= !holdsAnyJson(desc);
      const json = parse(decoder.decode(bytes), mayQuote);
      return fromJson(desc, field === undefined ? json : { [field.jsonName]: json }, options);
    };
  },

  createEncoder(desc, options, omitted = []) {
    return (message) => stringify(without(toJson(desc, message, options), omitted, options.useProtoFieldName));
  },

  createFieldEncoder(field, options, omitted = []) {
    const { useProtoFieldName } = options;
    const hasDefault = field.fieldKind === "list" || field.fieldKind === "map" || hasImplicitPresence(field);
    return (message) => {
      const write = (alwaysEmitImplicit = options.alwaysEmitImplicit) => {
        const json = toJson(field.parent, message, { ...options, alwaysEmitImplicit: alwaysEmitImplicit === true });
        return memberOf(json, field, useProtoFieldName);
      };
      let json = write();
      if (json === undefined && hasDefault) json = write(true);
      return json === undefined ? undefined : stringify(without(json, omitted, useProtoFieldName));
    };
  },
};

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses JSON. Integers with more digits than a number keeps become strings, from which 64-bit fields are read, too.
 *
 * @param mayQuote whether no value can be of a type that tells strings from numbers
 */
function parse(text: string, mayQuote: boolean): JsonValue {
  const json = JSON.parse(text) as JsonValue;
  if (!mayQuote || !/\d{16}/.test(text)) return json;
  const quoted = text.replace(/"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    /^-?\d{16,}$/.test(token) ? `"${token}"` : token,
  );
  return JSON.parse(quoted) as JsonValue;
}

/** Whether a type, or a type that it contains, may hold any JSON, as google.protobuf.Value does. */
function holdsAnyJson(desc: DescMessage, seen: Set<DescMessage> = new Set()): boolean {
  if (/^google\.protobuf\.(?:Any|Struct|Value|ListValue)$/.test(desc.typeName)) return true;
  if (seen.has(desc)) return false;
  seen.add(desc);
  return desc.fields.some(({ message }) => message !== undefined && holdsAnyJson(message, seen));
}

/** Stands for -0 until the text is complete: `JSON.stringify` writes 0. */
const negativeZero = `-0 ${Math.random()}`;

function stringify(json: JsonValue): string {
  const text = JSON.stringify(json, (_, value: JsonValue) => (Object.is(value, -0) ? negativeZero : value));
  return text.replaceAll(`"${negativeZero}"`, "-0");
}

/** Removes fields from the JSON of a message, each by the path to it. */
function without(json: JsonValue, omitted: readonly (readonly DescField[])[], useProtoNames?: boolean): JsonValue {
  for (const path of omitted) {
    const parent = path
      .slice(0, -1)
      .reduce<JsonValue | undefined>((at, field) => memberOf(at, field, useProtoNames), json);
    const last = path.at(-1);
    if (last !== undefined && isJsonObject(parent)) delete parent[nameOf(last, useProtoNames)];
  }
  return json;
}

function memberOf(json: JsonValue | undefined, field: DescField, useProtoNames?: boolean): JsonValue | undefined {
  return isJsonObject(json) ? json[nameOf(field, useProtoNames)] : undefined;
}

function nameOf({ name, jsonName }: DescField, useProtoNames = false): string {
  return useProtoNames ? name : jsonName;
}
