// What `jwt` asks of the claims of a token, by method.
import { describeValue } from "../quote.js";
import { checkNames } from "./check-names.js";
import { checkPublic, type MethodRule, MethodRules } from "./method-rules.js";

/** Claims of a token, verified. */
export interface JwtClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  /** Seconds since 1970. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly [name: string]: unknown;
}

/** Values of which a claim has to have one. */
export type ClaimValues = string | number | boolean | readonly (string | number | boolean)[];

/** What a token has to have. */
export interface JwtRequirements {
  /** Scopes, all of which the token has to have: in `scope`, with spaces between, or in `scp`. */
  readonly scopes?: readonly string[] | undefined;
  /**
   * Claim → the value that it has to have, or several, of which it has to have one. A claim that is a list has to contain it.
   * `realm_access.roles` is a claim of that name, or else the member of an object.
   */
  readonly claims?: Readonly<Record<string, ClaimValues>> | undefined;
}

/** What some methods need. */
export interface JwtRule extends MethodRule, JwtRequirements {
  /** Whether the methods need no token. Tokens that are sent are then not read. */
  readonly public?: boolean | undefined;
}

/** What of the requirements a token does not have. */
export type Lack = { readonly kind: "scope"; readonly scopes: readonly string[] } | { readonly kind: "claim" };

/** @throws TypeError that names a wrong rule */
export function readJwtRules(rules: readonly JwtRule[]): MethodRules<JwtRule> {
  const compiled = new MethodRules("jwt: rules", rules);
  for (const [index, rule] of rules.entries()) {
    const name = `jwt: rules[${index}]`;
    checkNames(`${name}: `, rule, ["methods", "public", "scopes", "claims"]);
    checkRequirements(`${name}.`, rule);
    checkPublic(name, rule.public);
    if (rule.public !== true || (rule.scopes === undefined && rule.claims === undefined)) continue;
    throw new TypeError(`${name}: expected either public or scopes and claims, found both`);
  }
  return compiled;
}

/**
 * @param name of the object, with the dot or colon after it, for errors
 * @throws TypeError that names what is wrong
 */
export function checkRequirements(name: string, { scopes, claims = {} }: JwtRequirements): void {
  if (scopes !== undefined && !isListOf(scopes, (scope) => typeof scope === "string" && /^[!#-[\]-~]+$/.test(scope))) {
    throw new TypeError(`${name}scopes: expected an array of scopes, found ${describeValue(scopes)}`);
  }
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) {
    throw new TypeError(`${name}claims: expected an object of names and values, found ${describeValue(claims)}`);
  }
  for (const [claim, values] of Object.entries(claims)) {
    const isValid = isListOf([values].flat(), (value) => ["string", "number", "boolean"].includes(typeof value));
    if (isValid) continue;
    throw new TypeError(
      `${name}claims.${claim}: expected a value or an array of values, found ${describeValue(values)}`,
    );
  }
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isItem);
}

/** Returns what a token does not have of the requirements; undefined if it has all. */
export function findLack(token: JwtClaims, { scopes, claims }: JwtRequirements): Lack | undefined {
  if (claims !== undefined) {
    const hasAll = Object.entries(claims).every(([name, values]) => hasOne(findClaim(token, name), values));
    if (!hasAll) return { kind: "claim" };
  }
  if (scopes === undefined) return undefined;
  const own = scopesOf(token);
  return scopes.every((scope) => own.includes(scope)) ? undefined : { kind: "scope", scopes };
}

/** OAuth has `scope`, a text (RFC 8693 section 4.2); some issuers have `scp`, a text or a list. */
function scopesOf({ scope, scp }: JwtClaims): readonly unknown[] {
  return [scope, scp].flat().flatMap((value) => (typeof value === "string" ? value.split(" ") : []));
}

function findClaim(token: JwtClaims, name: string): unknown {
  if (Object.hasOwn(token, name)) return token[name];
  return name.split(".").reduce<unknown>((value, member) => memberOf(value, member), token);
}

function memberOf(value: unknown, name: string): unknown {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function hasOne(claim: unknown, values: ClaimValues): boolean {
  const own: readonly unknown[] = [claim].flat();
  return [values].flat().some((value) => own.includes(value));
}
