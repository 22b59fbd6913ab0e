// Turns the rules of protovalidate on a text into keywords of JSON Schema.
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { listKeywords, sized } from "./rule-keywords.js";
import type { Schema } from "./types.js";

/** @param rules `buf.validate.StringRules` as JSON */
export function stringKeywords(rules: JsonObject): Schema {
  const patterns = patternsOf(rules);
  const [pattern] = patterns;
  const isLonely = patterns.length === 1;
  return {
    ...sized("minLength", rules.len ?? rules.minLen),
    ...sized("maxLength", rules.len ?? rules.maxLen),
    ...(isLonely ? { pattern } : patterns.length > 1 ? { allOf: patterns.map((each) => ({ pattern: each })) } : {}),
    ...listKeywords(rules),
    ...formatKeywords(rules),
  };
}

function patternsOf({ pattern, prefix, suffix, contains }: JsonObject): string[] {
  const patterns = [
    isPattern(pattern) ? pattern : "",
    typeof prefix === "string" ? `^${escapeText(prefix)}` : "",
    typeof suffix === "string" ? `${escapeText(suffix)}$` : "",
    typeof contains === "string" ? escapeText(contains) : "",
  ];
  return patterns.filter((each) => each !== "");
}

/** Rules have the syntax of RE2, of which JavaScript, and with it JSON Schema, lacks a little, such as `(?i)`. */
function isPattern(pattern: JsonValue | undefined): pattern is string {
  if (typeof pattern !== "string") return false;
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false; // The rule stays unsaid.
  }
}

function escapeText(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

const formats: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ["email", { format: "email" }],
  ["hostname", { format: "hostname" }],
  ["ip", { anyOf: [{ format: "ipv4" }, { format: "ipv6" }] }],
  ["ipv4", { format: "ipv4" }],
  ["ipv6", { format: "ipv6" }],
  ["uri", { format: "uri" }],
  ["uriRef", { format: "uri-reference" }],
  ["uuid", { format: "uuid" }],
  ["tuuid", { pattern: "^[0-9a-fA-F]{32}$" }],
]);

function formatKeywords(rules: JsonObject): Schema {
  const name = [...formats.keys()].find((each) => rules[each] === true);
  return formats.get(name ?? "") ?? {};
}
