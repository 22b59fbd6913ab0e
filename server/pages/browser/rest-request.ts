// Turns the JSON of a request into path, query and body by a route of google.api.http (google/api/http.proto, "Rules
// for HTTP mapping"), with the description of the route and without descriptors.
import type { FieldName, JsonObject, JsonValue, PathVariable, Route } from "./method.js";

/** A request without the address of the server. */
export interface PageRequest {
  readonly httpMethod: string;
  /** Path and query, encoded. It begins with "/". */
  readonly target: string;
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
  readonly contentType: string | undefined;
}

/**
 * Writes a request; one of several messages has them as lines of JSON, and its path is that of the first.
 *
 * @throws Error that names the field, if the path needs one that the message does not have
 */
export function toRestRequest(route: Route, messages: readonly JsonValue[], isStream = false): PageRequest {
  const [first = toParts(route, {}), ...others] = messages.map((message) => toParts(route, message));
  const { path, query, body } = first;
  const target = query === "" ? path : `${path}?${query}`;
  const httpMethod = route.httpMethod !== "*" ? route.httpMethod : route.body === "none" ? "GET" : "POST";
  if (route.body === "none" || body === undefined)
    return { httpMethod, target, body: undefined, contentType: undefined };
  if (route.body === "bytes") return { httpMethod, target, ...toBytes(body) };
  if (!isStream) return { httpMethod, target, body: JSON.stringify(body), contentType: "application/json" };
  const lines =
    messages.length === 0 ? [] : [first, ...others].map((parts) => `${JSON.stringify(parts.body ?? null)}\n`);
  return { httpMethod, target, body: lines.join(""), contentType: "application/x-ndjson" };
}

interface Parts {
  readonly path: string;
  readonly query: string;
  readonly body: JsonValue | undefined;
}

function toParts(route: Route, message: JsonValue): Parts {
  const rest = isObject(message) ? structuredClone(message) : {};
  const segments = route.segments.flatMap((segment) => (typeof segment === "string" ? segment : expand(segment, rest)));
  const verb = route.verb === "" ? "" : `:${route.verb}`;
  const path = `/${segments.join("/")}${verb}`;
  if (route.body !== "none" && route.bodyField === undefined) {
    return { path, query: "", body: isObject(message) ? rest : message };
  }
  const body = route.bodyField && take(rest, [route.bodyField]);
  return { path, query: toPairs(rest, "").join("&"), body };
}

function expand({ fields, isMultiSegment }: PathVariable, message: JsonObject): string[] {
  const value = take(message, fields);
  const name = fields.map(([jsonName]) => jsonName).join(".");
  if (value === undefined || value === null || value === "") throw new Error(`${name}: the path needs a value`);
  const parts = isMultiSegment ? String(value).split("/") : [String(value)];
  return parts.map(encodeURIComponent);
}

/** Takes the value of a field out of a message; undefined if it is not there. */
function take(message: JsonObject, [names, ...inner]: readonly FieldName[]): JsonValue | undefined {
  const name = names?.find((candidate) => Object.hasOwn(message, candidate));
  if (name === undefined) return undefined;
  const value = message[name];
  if (inner.length > 0) return isObject(value) ? take(value, inner) : undefined;
  delete message[name];
  return value;
}

function toPairs(value: JsonValue, name: string): string[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => toPairs(item, name));
  if (!isObject(value)) return [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`];
  return Object.entries(value).flatMap(([key, inner]) => toPairs(inner, name === "" ? key : `${name}.${key}`));
}

/** @param body the JSON of a google.api.HttpBody, whose data are base64 */
function toBytes(body: JsonValue): Pick<PageRequest, "body" | "contentType"> {
  const { data = "", contentType, content_type = contentType } = isObject(body) ? body : {};
  const binary = atob(String(data).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return { body: bytes, contentType: content_type ? String(content_type) : undefined };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
