// An interceptor that lets in calls with a valid JSON Web Token (RFC 7519) in `authorization: Bearer` (RFC 6750).
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextKey, createContextKey, type Interceptor } from "@connectrpc/connect";
import type { MethodInterceptor } from "../call/method-interceptor.js";
import { loadPackage } from "../load-package.js";
import { describeValue, quote } from "../quote.js";
import { checkWholeNumber } from "../whole-number.js";
import { readBearer } from "./bearer.js";
import { checkNames } from "./check-names.js";
import {
  createKeySource,
  type JsonWebKeySet,
  type KeySource,
  KeysUnavailableError,
  readJwks,
} from "./json-web-keys.js";
import {
  checkRequirements,
  findLack,
  type JwtClaims,
  type JwtRequirements,
  type JwtRule,
  readJwtRules,
} from "./jwt-rules.js";
import { principal } from "./principal.js";
import { credentialsMissing, formatChallenge, permissionDenied, unauthenticated } from "./refusal.js";
import { VerifiedTokens } from "./verified-tokens.js";

/** Options of `jwt`. */
export interface JwtOptions {
  /** `iss` that a token has to have, or several, of which it has to have one. */
  readonly issuer: string | readonly string[];
  /** `aud` that a token has to have, or several, of which it has to have one. */
  readonly audience: string | readonly string[];
  /**
   * The issuer's keys: the `https:` URL of its JSON Web Key Set, or the set. The URL is fetched with the first token, again when
   * the keys are half as old as `cacheMs`, and when a token has an unknown key.
   */
  readonly jwks: string | URL | JsonWebKeySet;
  /** Signature algorithms that are accepted. Only asymmetric ones can be. Default: RS, PS and ES with 256, 384 and 512, EdDSA. */
  readonly algorithms?: readonly string[] | undefined;
  /** `typ` that the header of a token has to have, such as `at+jwt`. Default: any. */
  readonly typ?: string | undefined;
  /** Seconds that the clock of the issuer may differ. Default 5. */
  readonly clockToleranceSeconds?: number | undefined;
  /** Milliseconds that fetched keys are used for. Default 600,000. */
  readonly cacheMs?: number | undefined;
  /** Milliseconds between two fetches because of an unknown key. Default 30,000. */
  readonly cooldownMs?: number | undefined;
  /** Milliseconds that a fetch of the keys may take. Default 5,000. */
  readonly fetchTimeoutMs?: number | undefined;
  /**
   * Number of verified tokens that are kept, each until it or the keys expire. Their signature is not checked again.
   * Default 1,000; 0 for none.
   */
  readonly cachedTokens?: number | undefined;
  /** Claims that every token has to have, as in rules. */
  readonly claims?: JwtRequirements["claims"];
  /** What some methods need. Methods without a rule need a valid token. */
  readonly rules?: readonly JwtRule[] | undefined;
}

/** Context value: the claims of the caller's token; undefined unless `jwt` has verified one. */
export const jwtClaims: ContextKey<JwtClaims | undefined> = createContextKey<JwtClaims | undefined>(undefined, {
  description: "claims of the verified token",
});

const optionNames: Readonly<Record<keyof Required<JwtOptions>, true>> = {
  issuer: true,
  audience: true,
  jwks: true,
  algorithms: true,
  typ: true,
  clockToleranceSeconds: true,
  cacheMs: true,
  cooldownMs: true,
  fetchTimeoutMs: true,
  cachedTokens: true,
  claims: true,
  rules: true,
};

/** Algorithms with a public key. An HMAC's key would be a secret that can also sign, and `none` is no signature. */
const asymmetric = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/**
 * Returns an interceptor that lets in calls with a valid token, and sets `principal` and `jwtClaims`. A token is verified once
 * for each call, also of a stream. Other calls end with:
 * - `unauthenticated` and a `Bearer` challenge, if the token is missing or invalid
 * - `permission_denied`, if it lacks scopes or claims
 * - `unavailable`, if the keys cannot be fetched
 *
 * Needs the package `jose`.
 *
 * @throws TypeError or RangeError that names a wrong option; Error if the package is missing
 */
export function jwt(options: JwtOptions): Promise<MethodInterceptor> {
  return createJwt("jwt", options);
}

/** @param setting that the error of a missing package begins with: `jwt`, `--jwt-issuer` */
export async function createJwt(setting: string, options: JwtOptions): Promise<MethodInterceptor> {
  checkNames("jwt: ", options, Object.keys(optionNames));
  const rules = readJwtRules(options.rules ?? []);
  const common: JwtRequirements = { claims: options.claims };
  checkRequirements("jwt: ", common);
  const openVerifier = readVerifier(options);
  const verify = openVerifier(await loadPackage(setting, "jose", () => import("jose")));
  const realm = formatChallenge("Bearer", { realm: [options.audience].flat()[0] ?? "" });
  const interceptor: Interceptor = (next) => async (request) => {
    const bearer = readBearer(request.header.get("authorization"));
    if (bearer.kind === "none") throw credentialsMissing("bearer token missing", realm);
    if (bearer.kind === "malformed") throw refusal("invalid_request", "malformed authorization header");
    const claims = await verify(bearer.token);
    authorize(claims, common);
    authorize(claims, rules.find(request.method) ?? {});
    const { contextValues } = request;
    contextValues.set(principal, { kind: "jwt", name: claims.sub ?? "", claims });
    contextValues.set(jwtClaims, claims);
    return next(request);
  };
  const appliesTo = (method: DescMethod) => rules.find(method)?.public !== true;
  return Object.assign(interceptor, { appliesTo, listUnmatched: rules.listUnmatched });
}

type Verify = (token: string) => JwtClaims | Promise<JwtClaims>;

/** Checks the options of a verifier. @throws TypeError or RangeError that names a wrong one */
function readVerifier(options: JwtOptions): (jose: Jose) => Verify {
  const { cacheMs = 600_000, cooldownMs = 30_000, fetchTimeoutMs = 5000 } = options;
  const { clockToleranceSeconds = 5, cachedTokens = 1000, algorithms = asymmetric, typ } = options;
  const settings = { cacheMs, cooldownMs, fetchTimeoutMs, clockToleranceSeconds, cachedTokens };
  for (const [name, value] of Object.entries(settings)) checkWholeNumber(`jwt: ${name}`, value, 0);
  checkAlgorithms(algorithms);
  const expected = {
    issuer: checkTexts("jwt: issuer", options.issuer),
    audience: checkTexts("jwt: audience", options.audience),
    algorithms: [...algorithms],
    clockTolerance: clockToleranceSeconds,
    requiredClaims: ["exp"],
    ...(typ !== undefined && { typ: checkTexts("jwt: typ", typ)[0] ?? typ }),
  };
  const jwks = readJwks("jwt: jwks", options.jwks);
  return (jose) => createVerifier(jose, createKeySource(jose, jwks, settings), expected, cachedTokens);
}

function createVerifier(jose: Jose, keys: KeySource, expected: Expected, cachedTokens: number): Verify {
  const verified = new VerifiedTokens<JwtClaims>(cachedTokens);
  const toleranceMs = Number(expected.clockTolerance) * 1000;
  const verifyNow = async (token: string) => {
    const claims = freeze(await verifyToken(jose, token, keys.getKey, expected));
    const expiresMs = Number(claims.exp) * 1000 + toleranceMs;
    verified.add(token, { claims, untilMs: Math.min(expiresMs, keys.untilMs) });
    return claims;
  };
  return (token) => {
    keys.refresh();
    return verified.get(token) ?? verifyNow(token);
  };
}

type Jose = typeof import("jose");
type GetKey = import("jose").JWTVerifyGetKey;
type Expected = import("jose").JWTVerifyOptions;

/** @throws ConnectError */
async function verifyToken(jose: Jose, token: string, getKey: GetKey, expected: Expected): Promise<JwtClaims> {
  const { errors } = jose;
  try {
    return await verifyWithKeys(jose, token, getKey, expected);
  } catch (error) {
    if (error instanceof KeysUnavailableError) {
      throw new ConnectError("tokens cannot be verified now", Code.Unavailable, undefined, undefined, error);
    }
    if (error instanceof errors.JWKSInvalid || !(error instanceof errors.JOSEError)) throw error;
    throw refusal("invalid_token", describeFault(errors, error), error);
  }
}

/** Tries each key that a token without `kid` may be of. */
async function verifyWithKeys(jose: Jose, token: string, getKey: GetKey, expected: Expected): Promise<JwtClaims> {
  try {
    return (await jose.jwtVerify(token, getKey, expected)).payload as JwtClaims;
  } catch (error) {
    if (!(error instanceof jose.errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jose.jwtVerify(token, key, expected)).payload as JwtClaims;
      } catch (reason) {
        if (!(reason instanceof jose.errors.JWSSignatureVerificationFailed)) throw reason;
      }
    }
    throw new jose.errors.JWSSignatureVerificationFailed();
  }
}

/** Says what is wrong with a token, without anything of it. */
function describeFault(errors: Jose["errors"], error: InstanceType<Jose["errors"]["JOSEError"]>): string {
  if (error instanceof errors.JWTExpired) return "token expired";
  if (error instanceof errors.JWTClaimValidationFailed) return describeClaim(error.claim, error.reason);
  if (error instanceof errors.JWKSNoMatchingKey) return "token signed with an unknown key";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "token has an invalid signature";
  if (error instanceof errors.JOSEAlgNotAllowed) return "token signed with an algorithm that is not accepted";
  return "malformed token";
}

function describeClaim(claim: string, reason: string): string {
  if (reason === "missing") return `token without ${claim}`;
  return claim === "nbf" && reason === "check_failed" ? "token not valid yet" : `token with an unexpected ${claim}`;
}

/** @throws ConnectError `permission_denied` if the token lacks something */
function authorize(claims: JwtClaims, requirements: JwtRequirements): void {
  const lack = findLack(claims, requirements);
  if (lack === undefined) return;
  const error = "insufficient_scope";
  if (lack.kind === "claim") {
    const message = "token lacks a claim for this method";
    throw permissionDenied(message, formatChallenge("Bearer", { error, error_description: message }));
  }
  const message = "token lacks a scope for this method";
  throw permissionDenied(
    message,
    formatChallenge("Bearer", { error, error_description: message, scope: lack.scopes.join(" ") }),
  );
}

/** An error with the challenge of RFC 6750 section 3.1. */
function refusal(error: "invalid_request" | "invalid_token", message: string, cause?: unknown): ConnectError {
  return unauthenticated(message, formatChallenge("Bearer", { error, error_description: message }), cause);
}

/** Calls share the claims of a token that was kept. */
function freeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) freeze(member);
    Object.freeze(value);
  }
  return value;
}

function checkTexts(name: string, value: string | readonly string[]): string[] {
  const texts: unknown[] = [value].flat();
  const isValid = texts.length > 0 && texts.every((text) => typeof text === "string" && text !== "");
  if (!isValid) throw new TypeError(`${name}: expected a text, found ${describeValue(value)}`);
  return texts as string[];
}

function checkAlgorithms(algorithms: readonly string[]): void {
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw new TypeError(`jwt: algorithms: expected an array of algorithms, found ${describeValue(algorithms)}`);
  }
  const other = algorithms.find((algorithm) => !asymmetric.includes(algorithm));
  if (other === undefined) return;
  throw new TypeError(`jwt: algorithms: expected ones of ${asymmetric.join(", ")}, found ${quote(String(other))}`);
}
