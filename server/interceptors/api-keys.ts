// An interceptor that lets in calls with a known API key.
import { createHmac, hash, randomBytes } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { MethodInterceptor } from "../call/method-interceptor.js";
import { isToken } from "../http/header.js";
import { describeValue, quote } from "../quote.js";
import { readBearer } from "./bearer.js";
import { checkNames } from "./check-names.js";
import { checkPublic, type MethodRule, MethodRules } from "./method-rules.js";
import { principal } from "./principal.js";
import { credentialsMissing, permissionDenied, unauthenticated } from "./refusal.js";

/** Options of `apiKeys`. */
export interface ApiKeysOptions {
  /** Header with the key. In `authorization` it follows `Bearer`. Default `x-api-key`. */
  readonly header?: string | undefined;
  /**
   * Name → key, or several while an old one is replaced. A key is its text, of 16 characters at least, or its SHA-256 hash:
   * `sha256:` and 64 hexadecimal digits.
   */
  readonly keys: Readonly<Record<string, string | readonly string[]>> | ReadonlyMap<string, string | readonly string[]>;
  /** What some methods need. Methods without a rule need a key. */
  readonly rules?: readonly ApiKeysRule[] | undefined;
}

/** What some methods need. */
export interface ApiKeysRule extends MethodRule {
  /** Whether the methods need no key. Keys that are sent are then not read. */
  readonly public?: boolean | undefined;
  /** Names of the keys that may call. Default: all. */
  readonly names?: readonly string[] | undefined;
}

/** The interceptor of `apiKeys`, whose keys can change while the server serves. */
export interface ApiKeysInterceptor extends MethodInterceptor {
  /**
   * Replaces all keys, for calls that begin from now on.
   *
   * @throws TypeError that names a wrong key, or a rule for a name without a key; the keys then stay as they are
   */
  readonly replaceKeys: (keys: ApiKeysOptions["keys"]) => void;
}

/** Shorter keys can be guessed, by their hash or one by one. */
const minKeyLength = 16;
/** Value of `www-authenticate`, which a response with 401 has to have. */
const challenge = "ApiKey";
const hashForm = /^sha256:[\da-f]{64}$/i;

/**
 * Lets in calls with one of the keys, and sets `principal`, with the name of the key. Other calls end with `unauthenticated`, or
 * with `permission_denied` if a rule does not name the key.
 *
 * @throws TypeError that names a wrong option
 */
export function apiKeys(options: ApiKeysOptions): ApiKeysInterceptor {
  checkNames("apiKeys: ", options, ["header", "keys", "rules"]);
  const header = readHeader(options.header);
  const rules = readRules(options.rules ?? []);
  const read = (given: ApiKeysOptions["keys"]) => {
    const ring = new KeyRing(given);
    checkRuleNames(options.rules ?? [], ring.names);
    return ring;
  };
  let keys = read(options.keys);
  const keyOf = (headers: Headers) => (header === "authorization" ? readToken(headers) : headers.get(header));
  const interceptor: Interceptor = (next) => async (request) => {
    const key = keyOf(request.header);
    if (key === null || key === "")
      throw credentialsMissing(`API key missing: expected the header ${header}`, challenge);
    const name = keys.find(key);
    if (name === undefined) throw unauthenticated("invalid API key", challenge);
    if (rules.find(request.method)?.names?.includes(name) === false)
      throw permissionDenied("this API key may not call this method");
    request.contextValues.set(principal, { kind: "api_key", name });
    return next(request);
  };
  const appliesTo = (method: DescMethod) => rules.find(method)?.public !== true;
  const replaceKeys: ApiKeysInterceptor["replaceKeys"] = (given) => {
    keys = read(given);
  };
  return Object.assign(interceptor, { appliesTo, listUnmatched: rules.listUnmatched, replaceKeys });
}

function readToken(headers: Headers): string | null {
  const bearer = readBearer(headers.get("authorization"));
  return bearer.kind === "token" ? bearer.token : null;
}

/**
 * The keys, found by an HMAC of their hashes with a random secret. So the time of a look-up says nothing of the keys, however
 * many there are: a client cannot know the HMAC of what it sends.
 */
class KeyRing {
  readonly names = new Set<string>();
  readonly #secret = randomBytes(32);
  readonly #nameByDigest = new Map<string, string>();

  constructor(keys: ApiKeysOptions["keys"]) {
    if (typeof keys !== "object" || keys === null || Array.isArray(keys)) {
      throw new TypeError(`apiKeys: keys: expected an object of names and keys, found ${describeValue(keys)}`);
    }
    for (const [name, own] of keys instanceof Map ? keys : Object.entries(keys)) {
      for (const key of [own].flat()) this.#add(name, key);
    }
    if (this.names.size === 0) throw new TypeError("apiKeys: keys: expected keys, found none");
  }

  /** Returns the name of a key that a client sent; undefined if it is unknown. */
  find(key: string): string | undefined {
    return this.#nameByDigest.get(this.#digest(hash("sha256", key, "hex")));
  }

  #add(name: string, key: unknown): void {
    const digest = this.#digest(readHash(`apiKeys: keys[${quote(name)}]`, key));
    const other = this.#nameByDigest.get(digest);
    if (other !== undefined) {
      throw new TypeError(`apiKeys: keys[${quote(name)}]: expected another key than that of ${quote(other)}`);
    }
    this.#nameByDigest.set(digest, name);
    this.names.add(name);
  }

  #digest(sha256: string): string {
    return createHmac("sha256", this.#secret).update(sha256).digest("base64");
  }
}

/** Returns the SHA-256 hash of a key in hexadecimal digits. Errors do not show the key. */
function readHash(name: string, key: unknown): string {
  if (typeof key !== "string") throw new TypeError(`${name}: expected a key, found a ${typeof key}`);
  if (hashForm.test(key)) return key.slice("sha256:".length).toLowerCase();
  if (key.startsWith("sha256:")) throw new TypeError(`${name}: expected 64 hexadecimal digits after sha256:`);
  if (!/^[!-~]+$/.test(key)) throw new TypeError(`${name}: expected a key of visible ASCII characters`);
  if (key.length < minKeyLength) {
    throw new TypeError(`${name}: expected a key of ${minKeyLength} characters at least, found ${key.length}`);
  }
  return hash("sha256", key, "hex");
}

function readHeader(header: unknown = "x-api-key"): string {
  if (typeof header === "string" && isToken(header)) return header.toLowerCase();
  throw new TypeError(`apiKeys: header: expected the name of a header, found ${describeValue(header)}`);
}

function readRules(rules: readonly ApiKeysRule[]): MethodRules<ApiKeysRule> {
  const compiled = new MethodRules("apiKeys: rules", rules);
  for (const [index, rule] of rules.entries()) {
    const place = `apiKeys: rules[${index}]`;
    checkNames(`${place}: `, rule, ["methods", "public", "names"]);
    checkPublic(place, rule.public);
    if (rule.names !== undefined && !Array.isArray(rule.names)) {
      throw new TypeError(`${place}.names: expected an array of names of keys, found ${describeValue(rule.names)}`);
    }
  }
  return compiled;
}

/** Each name that a rule has belongs to a key. */
function checkRuleNames(rules: readonly ApiKeysRule[], known: ReadonlySet<string>): void {
  for (const [index, { names }] of rules.entries()) {
    const unknown = names?.find((name) => !known.has(name));
    if (unknown === undefined) continue;
    throw new TypeError(`apiKeys: rules[${index}].names: expected names of keys, found ${describeValue(unknown)}`);
  }
}
