// The keys that tokens are verified with: a JSON Web Key Set (RFC 7517) as data, or at a URL.
import { createPublicKey } from "node:crypto";
import { describeValue, quote } from "../quote.js";

/** A JSON Web Key. */
export interface JsonWebKey {
  readonly kty: string;
  readonly kid?: string | undefined;
  readonly [parameter: string]: unknown;
}

/** A JSON Web Key Set. */
export interface JsonWebKeySet {
  readonly keys: readonly JsonWebKey[];
}

type Jose = typeof import("jose");
type GetKey = import("jose").JWTVerifyGetKey;

/** How keys at a URL are fetched. */
export interface FetchSettings {
  /** Milliseconds that fetched keys are used for. */
  readonly cacheMs: number;
  /** Milliseconds between two fetches because of an unknown key. */
  readonly cooldownMs: number;
  /** Milliseconds that a fetch may take. */
  readonly fetchTimeoutMs: number;
}

/** The keys cannot be fetched. Its `cause` says why. */
export class KeysUnavailableError extends Error {
  override readonly name = "KeysUnavailableError";
}

/** Maximum size of a fetched key set in bytes: some hundred keys. */
const maxKeySetBytes = 512 * 1024;

/** Milliseconds after a failed fetch in which calls fail without another. */
const retryAfterMs = 1000;

/** Kinds of public keys. A secret (`oct`) would be of use to sign, too. */
const publicKinds = ["RSA", "EC", "OKP"];
/** The least size of RSA keys that jose verifies with (RFC 7518 section 3.3). */
const minRsaBits = 2048;

/** @throws TypeError that names the option */
export function readJwks(name: string, jwks: unknown): URL | JsonWebKeySet {
  if (typeof jwks === "string" || jwks instanceof URL) return readUrl(name, String(jwks));
  const keys = typeof jwks === "object" && jwks !== null && "keys" in jwks ? jwks.keys : undefined;
  if (!Array.isArray(keys)) {
    throw new TypeError(`${name}: expected a URL or a key set { keys: […] }, found ${describeValue(jwks)}`);
  }
  if (keys.length === 0) throw new TypeError(`${name}.keys: expected keys, found none`);
  for (const [index, key] of keys.entries()) checkKey(`${name}.keys[${index}]`, key);
  return jwks as JsonWebKeySet;
}

/** A set that came over plaintext could be the keys of anybody, unless it came from this machine. */
function readUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url?.hostname ?? "");
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLocal)) return url;
  throw new TypeError(`${name}: expected an https: URL, or an http: one of this machine, found ${quote(text)}`);
}

function checkKey(name: string, key: unknown): void {
  const { kty, ...parameters } = Object(key) as { kty?: unknown };
  if (typeof kty !== "string" || !publicKinds.includes(kty)) {
    throw new TypeError(`${name}.kty: expected ${publicKinds.join(", ")}, found ${describeValue(kty)}`);
  }
  if ("d" in parameters) throw new TypeError(`${name}: expected a public key, found a private one, with "d"`);
  const bits = readRsaBits(name, { kty, ...parameters });
  if (bits < minRsaBits) throw new TypeError(`${name}: expected ${minRsaBits} bits at least, found ${bits}`);
}

/** Returns infinity for keys of other kinds. */
function readRsaBits(name: string, key: JsonWebKey): number {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: { ...key }, format: "jwk" });
    return asymmetricKeyDetails?.modulusLength ?? Number.POSITIVE_INFINITY;
  } catch (error) {
    throw new TypeError(`${name}: expected a JSON Web Key, found one that cannot be read`, { cause: error });
  }
}

/** Gives jose the keys of tokens. */
export interface KeySource {
  /** Rejects with KeysUnavailableError if keys cannot be fetched, and with jose's own error if none is for the token. */
  readonly getKey: GetKey;
  /** Until when the keys may be used, in milliseconds since 1970. */
  readonly untilMs: number;
  /** To be called for each call: fetches keys that are past half of their time, so that an outage has time to end. */
  refresh(): void;
}

export function createKeySource(jose: Jose, jwks: URL | JsonWebKeySet, settings: FetchSettings): KeySource {
  if (jwks instanceof URL) return new RemoteKeys(jose, jwks, settings);
  // `readJwks` has checked what jose's type says of keys.
  const getKey = jose.createLocalJWKSet({ keys: [...jwks.keys] as import("jose").JWK[] });
  return { getKey, untilMs: Number.POSITIVE_INFINITY, refresh: () => {} };
}

class RemoteKeys implements KeySource {
  readonly #jose: Jose;
  readonly #keys: ReturnType<Jose["createRemoteJWKSet"]>;
  readonly #cacheMs: number;
  /** Where jose notes when it has fetched, in milliseconds since 1970. */
  readonly #fetched: import("jose").JWKSCacheInput = {};
  #refreshAfterMs = 0;

  constructor(jose: Jose, url: URL, { cacheMs, cooldownMs, fetchTimeoutMs }: FetchSettings) {
    this.#jose = jose;
    this.#cacheMs = cacheMs;
    this.#keys = jose.createRemoteJWKSet(url, {
      cacheMaxAge: cacheMs,
      cooldownDuration: cooldownMs,
      timeoutDuration: fetchTimeoutMs,
      [jose.customFetch]: createFetch(),
      [jose.jwksCache]: this.#fetched,
    });
  }

  get untilMs(): number {
    return (this.#fetched.uat ?? 0) + this.#cacheMs;
  }

  readonly getKey: GetKey = async (header, token) => {
    try {
      return await this.#keys(header, token);
    } catch (error) {
      if (isOfToken(this.#jose, error)) throw error;
      throw new KeysUnavailableError("the keys of tokens cannot be fetched", { cause: error });
    }
  };

  refresh(): void {
    const nowMs = Date.now();
    const { uat } = this.#fetched;
    if (uat === undefined || nowMs < uat + this.#cacheMs / 2 || nowMs < this.#refreshAfterMs) return;
    this.#refreshAfterMs = nowMs + retryAfterMs;
    // While it fails the keys stay in use until their time is over.
    this.#keys.reload().catch(() => {});
  }
}

/** Whether the keys are there, and none is for the token. */
function isOfToken({ errors }: Jose, error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** Fetches with a limit of size. After a failure it rejects for a while without asking, so that calls do not wait in turn. */
function createFetch(): import("jose").FetchImplementation {
  let failure: { readonly error: unknown; readonly untilMs: number } | undefined;
  return async (url, options) => {
    if (failure !== undefined && performance.now() < failure.untilMs) throw failure.error;
    try {
      const response = await fetch(url, options);
      const body = await readBody(response);
      failure = undefined;
      return new Response(body);
    } catch (error) {
      failure = { error, untilMs: performance.now() + retryAfterMs };
      throw error;
    }
  };
}

/** @throws Error unless the response is a whole one of status 200 that is not too large */
async function readBody({ status, body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (status !== 200 || size > maxKeySetBytes) break;
    chunks.push(chunk);
  }
  if (status !== 200) throw new Error(`expected status 200, found ${status}`);
  if (size > maxKeySetBytes) throw new Error(`expected a key set of ${maxKeySetBytes} bytes at most`);
  const text = Buffer.concat(chunks).toString();
  if (!isKeySet(text)) throw new Error("expected a JSON Web Key Set");
  return text;
}

function isKeySet(text: string): boolean {
  try {
    const { keys } = Object(JSON.parse(text)) as { keys?: unknown };
    return Array.isArray(keys) && keys.every((key) => typeof key === "object" && key !== null);
  } catch {
    return false;
  }
}
