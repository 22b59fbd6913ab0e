// Reads a service configuration as google.api.Http, with a list of what is wrong in it: a
// google.api.Service with its `http`, or a google.api.Http alone (google/api/http.proto, "Using gRPC API Service
// Configuration").
import { create, type JsonValue } from "@bufbuild/protobuf";
import { type Http, type HttpRule, HttpRuleSchema, HttpSchema } from "../../../gen/google/api/http_pb.js";
import type { JsonCodec } from "../../codec/json.js";
import { isJsonObject } from "../../codec/json-facts.js";
import type { JsonDecoder } from "../../codec/json-read.js";
import type { JsonError } from "../../codec/json-read-error.js";

/** The HTTP rules of a service configuration. */
export interface HttpConfig {
  /** The valid rules. */
  readonly http: Http;
  /** A sentence for each invalid rule. It begins with the selector and the number of the rule, from 1. */
  readonly problems: readonly string[];
}

type JsonObject = { readonly [key: string]: JsonValue };

/**
 * Reads a configuration. Other members of google.api.Service (`type`, `config_version`, …) are ignored. Within `http`
 * an unknown name is a mistake, because its rule would not be served as written. What
 * `fully_decode_reserved_expansion` asks for is done anyway, unless the option `keptEncoded` says otherwise.
 */
export function readHttpConfig(codec: Pick<JsonCodec, "createDecoder">, config: JsonValue): HttpConfig {
  const decodeRule = codec.createDecoder(HttpRuleSchema, { compiles: false });
  const found = findHttp(config);
  if (typeof found === "string") return { http: create(HttpSchema), problems: [found] };
  const { rules, ...others } = found;
  const own = read<Http>(codec.createDecoder(HttpSchema, { compiles: false }), others);
  const list = Array.isArray(rules ?? [])
    ? ((rules ?? []) as JsonValue[]).map((rule, index) => readRule(decodeRule, rule, index))
    : ["rules: expected a list"];
  const http = typeof own === "string" ? create(HttpSchema) : own;
  http.rules = list.filter((rule) => typeof rule !== "string");
  return { http, problems: [own, ...list].filter((one) => typeof one === "string") };
}

function findHttp(config: JsonValue): JsonObject | string {
  if (!isJsonObject(config)) return 'expected "http" with "rules", or "rules"';
  // Google publishes service configurations without rules, too.
  if (config.http === undefined && config.type === "google.api.Service") return {};
  if (config.http === undefined)
    return config.rules === undefined ? 'expected "http" with "rules", or "rules"' : config;
  return isJsonObject(config.http) ? config.http : 'http: expected "rules"';
}

function readRule(decodeRule: JsonDecoder, json: JsonValue, index: number): HttpRule | string {
  const rule = read<HttpRule>(decodeRule, json);
  if (typeof rule !== "string") return rule;
  const selector = isJsonObject(json) && typeof json.selector === "string" ? `${json.selector}: ` : "";
  return `${selector}http rule ${index + 1}: ${rule}`;
}

const encoder = new TextEncoder();

/** @returns what was read, or what is wrong, with the name of the field */
function read<Value>(decode: JsonDecoder, json: JsonValue): Value | string {
  try {
    return decode(encoder.encode(JSON.stringify(json))) as Value;
  } catch (error) {
    const { path, description, message } = error as Error & Partial<JsonError>;
    return path === "" && description !== undefined ? description : message;
  }
}
