// Decodes the query of a request to fields of a message: names are dotted paths, repeated names are lists
// (google/api/http.proto; the parsing of pairs is that of application/x-www-form-urlencoded, but strict).
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Claims, claimsOf, hasClaimedRival, noClaims } from "../claims.js";
import { badField, badRequest } from "../error/bad-request.js";
import { fieldsByName, isNested, type MessageField, printFieldPath } from "../fields.js";
import { decodePercent } from "../percent.js";
import type { Binding } from "../route/binding.js";
import { createPlace, openParent, type Place, parseAt, setAt } from "./place.js";

/** Options of reading a query. */
export interface QueryOptions {
  /** Whether unknown names are ignored. Default false: they are rejected. */
  readonly ignoreUnknownParameters?: boolean;
  /**
   * Names that are ignored if no field has them, such as `key` or `fields`. A name with `*` at its end is the beginning
   * of others, such as `utm_*`. Default: none.
   */
  readonly ignoredParameters?: readonly string[];
  /** Maximum number of parameters of a query. Default 1,000. */
  readonly queryParameterLimit?: number;
  /** Maximum number of names in a dotted path. Default 32. */
  readonly queryDepthLimit?: number;
}

/** Sets the fields that a raw query names. @throws ConnectError `invalid_argument` */
type QueryReader = (query: string, message: Message) => void;

/** Prepares the reading of queries for one binding. */
export function createQueryReader(binding: Binding, options: QueryOptions = {}): QueryReader {
  const { queryParameterLimit = 1_000, queryDepthLimit = 32, ignoreUnknownParameters = false } = options;
  const isIgnored = createNameFilter(options.ignoredParameters ?? []);
  const { input } = binding.method;
  const claims = claimsOf(binding);
  return (query, message) => {
    if (query === "") return;
    const target = reflect(input, message);
    const seen = new Set<string>();
    for (const [name, value] of parsePairs(query, queryParameterLimit)) {
      // System parameters, such as Google's clients send: https://cloud.google.com/apis/docs/system-parameters
      if (name.startsWith("$")) continue;
      const place = findPlace(input, claims, name, queryDepthLimit);
      if (place !== undefined) put(target, place, value, seen);
      else if (!ignoreUnknownParameters && !isIgnored(name))
        throw badField(name, `${input.typeName} has no such field`);
    }
  };
}

/** Prepares the look-up of `ignoredParameters`. @throws RangeError if one of them is not a name or the beginning of names */
export function createNameFilter(patterns: readonly string[]): (name: string) => boolean {
  const wrong = patterns.find((pattern) => !parameterPattern.test(pattern));
  if (wrong !== undefined) {
    const found = JSON.stringify(wrong);
    throw new RangeError(`rest.ignoredParameters: expected names, with "*" at most at the end, found ${found}`);
  }
  const names = new Set(patterns);
  const beginnings = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  return (name) => names.has(name) || beginnings.some((beginning) => name.startsWith(beginning));
}

/** A name, or the beginning of names and `*`. */
const parameterPattern = /^(?:\*|[^*]+\*?)$/;

/** Decoded names and values in order of appearance, without empty pairs. */
function parsePairs(query: string, limit: number): [name: string, value: string][] {
  const pairs = query.split("&").filter((pair) => pair !== "");
  if (pairs.length > limit) throw badRequest(`the query has more than ${limit} parameters`);
  return pairs.map((pair) => {
    const mark = pair.indexOf("=");
    const name = mark < 0 ? pair : pair.slice(0, mark);
    return [decode(name), mark < 0 ? "" : decode(pair.slice(mark + 1))];
  });
}

function decode(raw: string): string {
  const text = decodePercent(raw.replaceAll("+", " "));
  if (text === undefined) throw badRequest("query: invalid percent-encoding or UTF-8");
  return text;
}

/** @returns undefined if a name of the path is unknown */
function findPlace(input: DescMessage, claims: Claims, path: string, depthLimit: number): Place | undefined {
  const names = path.split(".", depthLimit + 1);
  if (names.length > depthLimit) throw badField(path, `a path may have at most ${depthLimit} names`);
  const parents: MessageField[] = [];
  let desc = input;
  let open = claims;
  for (const name of names) {
    const field = fieldsByName(desc).get(name);
    if (field === undefined) return undefined;
    const fields = [...parents, field];
    open = enter(open, field, fields);
    if (fields.length === names.length) return placeOf(fields);
    if (!isNested(field)) throw badField(printFieldPath(fields), "the fields within it cannot be set by a query");
    parents.push(field);
    desc = field.message;
  }
  return undefined;
}

/**
 * Returns what path and body set within a field. @throws ConnectError if they set all of it, or another member of its
 * oneof
 */
function enter(claims: Claims, field: DescField, fields: readonly DescField[]): Claims {
  const within = claims === "whole" ? "whole" : (claims.get(field) ?? noClaims);
  if (within === "whole") throw badField(printFieldPath(fields), "the path or the body sets it, so the query cannot");
  if (claims !== "whole" && hasClaimedRival(claims, field)) {
    throw badField(
      printFieldPath(fields),
      `the path or the body sets another member of the oneof ${field.oneof?.name}`,
    );
  }
  return within;
}

function placeOf(fields: readonly DescField[]): Place {
  const place = createPlace(fields);
  if (place === undefined) throw badField(printFieldPath(fields), "a query cannot carry a value of its type");
  return place;
}

function put(root: ReflectMessage, place: Place, text: string, seen: Set<string>): void {
  const { field, name } = place;
  const value = parseAt(place, text);
  if (field.fieldKind === "list") {
    openParent(root, place).get(field).add(value);
    return;
  }
  if (seen.has(name)) throw badField(name, "is given twice, and is no list");
  setAt(root, place, value);
  seen.add(name);
}
