// Writes descriptors as the text of a proto file.
import {
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  type DescService,
  getOption,
  hasOption,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { http } from "../../../gen/google/api/annotations_pb.js";
import { HttpRuleSchema } from "../../../gen/google/api/http_pb.js";
import { toJsonName } from "../../schema/repair-file.js";
import type { Declared } from "./schema.js";

/** The declaration of a symbol, with a line break at its end. */
export function toProtoText(symbol: Declared): string {
  return `${linesOf(symbol).join("\n")}\n`;
}

function linesOf(symbol: Declared): string[] {
  switch (symbol.kind) {
    case "service":
      return serviceLines(symbol);
    case "rpc":
      return methodLines(symbol);
    case "message":
      return messageLines(symbol);
    case "enum":
      return enumLines(symbol);
    case "extension":
      return block(`extend ${symbol.extendee.typeName}`, [fieldLine(symbol)]);
  }
}

function serviceLines({ typeName, methods }: DescService): string[] {
  return block(`service ${shortName(typeName)}`, methods.flatMap(methodLines));
}

function methodLines(method: DescMethod): string[] {
  const { name, input, output, methodKind } = method;
  const takes = methodKind === "client_streaming" || methodKind === "bidi_streaming" ? "stream " : "";
  const gives = methodKind === "server_streaming" || methodKind === "bidi_streaming" ? "stream " : "";
  const head = `rpc ${name}(${takes}.${input.typeName}) returns (${gives}.${output.typeName})`;
  const options = [...(method.deprecated ? ["option deprecated = true;"] : []), ...ruleLines(method)];
  return options.length === 0 ? [`${head};`] : block(head, options);
}

function ruleLines(method: DescMethod): string[] {
  if (!hasOption(method, http)) return [];
  return block("option (google.api.http) =", textLines(toJson(HttpRuleSchema, getOption(method, http))), "};");
}

/** The text format of a JSON object of strings, objects and lists of objects. */
function textLines(value: unknown): string[] {
  return Object.entries(value as object).flatMap(([name, each]) => {
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const items: unknown[] = Array.isArray(each) ? each : [each];
    return items.flatMap((item) =>
      typeof item === "object" ? block(field, textLines(item)) : [`${field}: ${JSON.stringify(item)}`],
    );
  });
}

function messageLines(message: DescMessage): string[] {
  const members = message.members.flatMap((member) =>
    member.kind === "oneof" ? oneofLines(member) : [fieldLine(member)],
  );
  const nested = message.nestedMessages.filter((each) => !isGroup(message, each)).flatMap(messageLines);
  const body = [...message.nestedEnums.flatMap(enumLines), ...nested, ...members];
  return block(`message ${shortName(message.typeName)}`, body);
}

/** Whether a type was declared with its field. */
function isGroup(message: DescMessage, type: DescMessage): boolean {
  return message.fields.some((field) => field.message === type && field.proto.type === groupType);
}
const groupType = 10;

function oneofLines({ name, fields }: DescOneof): string[] {
  return block(`oneof ${name}`, fields.map(fieldLine));
}

function enumLines({ typeName, values }: DescEnum): string[] {
  const lines = values.map(
    ({ name, number, deprecated }) => `${name} = ${number}${deprecated ? " [deprecated = true]" : ""};`,
  );
  return block(`enum ${shortName(typeName)}`, lines);
}

function fieldLine(field: DescField | DescExtension): string {
  const options = [
    ...(field.proto.defaultValue === "" ? [] : [`default = ${defaultText(field)}`]),
    ...(field.deprecated ? ["deprecated = true"] : []),
    ...(field.kind === "field" && field.jsonName !== toJsonName(field.name)
      ? [`json_name = ${JSON.stringify(field.jsonName)}`]
      : []),
  ];
  const suffix = options.length === 0 ? "" : ` [${options.join(", ")}]`;
  return `${labelOf(field)}${typeOf(field)} ${field.name} = ${field.number}${suffix};`;
}

function labelOf(field: DescField | DescExtension): string {
  if (field.fieldKind === "list") return "repeated ";
  if (field.fieldKind === "map" || field.oneof !== undefined) return "";
  if (field.presence === Presence.LEGACY_REQUIRED) return "required ";
  return field.presence === Presence.EXPLICIT && field.fieldKind !== "message" ? "optional " : "";
}

function typeOf(field: DescField | DescExtension): string {
  if (field.fieldKind === "map") return `map<${scalarName(field.mapKey)}, ${itemType(field.mapKind, field)}>`;
  return itemType(field.fieldKind === "list" ? field.listKind : field.fieldKind, field);
}

function itemType(
  kind: "scalar" | "message" | "enum",
  { scalar, message, enum: type }: DescField | DescExtension,
): string {
  if (kind === "message") return `.${message?.typeName}`;
  return kind === "enum" ? `.${type?.typeName}` : scalarName(scalar ?? ScalarType.STRING);
}

function scalarName(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

function defaultText({ proto: { defaultValue }, scalar }: DescField | DescExtension): string {
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES ? JSON.stringify(defaultValue) : defaultValue;
}

function shortName(typeName: string): string {
  return typeName.slice(typeName.lastIndexOf(".") + 1);
}

function block(head: string, body: readonly string[], end = "}"): string[] {
  return [`${head} {`, ...body.map((line) => `  ${line}`), end];
}
