/**
 * Reads gRPC's service config, which says by method how calls are made:
 * https://github.com/grpc/grpc/blob/v1.71.0/doc/service_config.md
 */
import type { DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import { describeValue, quote } from "../server/quote.js";
import { nameToCode, numberToCode } from "../server/rest/error/status.js";
import { type LoadBalancing, loadBalancingPolicies } from "./http2/policy.js";
import { TransportOptionError } from "./option-error.js";
import type { RetryPolicy } from "./retry/policy.js";

/** What is configured for calls of some methods. Undefined is the default of the transport. */
export interface MethodConfig {
  /** A call that asks for more time gets this. */
  readonly timeoutMs: number | undefined;
  readonly waitsForReady: boolean | undefined;
  readonly retryPolicy: RetryPolicy | undefined;
}

/** Stops retries of all methods while too many calls fail. */
export interface RetryThrottling {
  /** Above 0, at most 1,000. */
  readonly maxTokens: number;
  /** Tokens for a call that succeeds; one that fails costs 1. */
  readonly tokenRatio: number;
}

/** A service config that has been read. */
export interface ServiceConfig {
  /** By `package.Service/Method`, `package.Service/` or `/`, the default. */
  readonly methodConfigs: ReadonlyMap<string, MethodConfig>;
  readonly retryThrottling: RetryThrottling | undefined;
  /** The first one in the list that is known. */
  readonly loadBalancing: LoadBalancing | undefined;
}

/** Returns the configuration of a method: its own, or its service's, or the default one. */
export function findMethodConfig(config: ServiceConfig, { parent, name }: DescMethod): MethodConfig | undefined {
  const { methodConfigs } = config;
  const service = `${parent.typeName}/`;
  return methodConfigs.get(service + name) ?? methodConfigs.get(service) ?? methodConfigs.get("/");
}

/**
 * Reads a service config. Members that are not known are ignored.
 *
 * @throws TransportOptionError that names the member: `serviceConfig.methodConfig[1].timeout: expected …, found …`
 */
export function parseServiceConfig(json: JsonValue): ServiceConfig {
  const config = toObject(json, "serviceConfig");
  const { retryThrottling } = config;
  return {
    methodConfigs: parseMethodConfigs(config.methodConfig, "serviceConfig.methodConfig"),
    retryThrottling: isUnset(retryThrottling)
      ? undefined
      : parseThrottling(toObject(retryThrottling, "serviceConfig.retryThrottling")),
    loadBalancing: parseLoadBalancing(config.loadBalancingConfig, "serviceConfig.loadBalancingConfig"),
  };
}

type Json = JsonValue | undefined;

function parseMethodConfigs(value: Json, path: string): ReadonlyMap<string, MethodConfig> {
  const configs = new Map<string, MethodConfig>();
  const places = new Map<string, string>();
  if (isUnset(value)) return configs;
  for (const [index, item] of toArray(value, path).entries()) {
    const place = `${path}[${index}]`;
    const { name, ...rest } = toObject(item, place);
    const config = parseMethodConfig(rest, place);
    for (const [at, each] of toArray(name, `${place}.name`).entries()) {
      const namePlace = `${place}.name[${at}]`;
      const key = parseName(toObject(each, namePlace), namePlace);
      const other = places.get(key);
      if (other !== undefined) throw new TransportOptionError(namePlace, `expected another name than ${other} has`);
      places.set(key, namePlace);
      configs.set(key, config);
    }
  }
  return configs;
}

/** An empty string is a name that is not set. */
function parseName({ service, method }: JsonObject, path: string): string {
  const serviceName = isUnset(service) ? "" : toText(service, `${path}.service`);
  const methodName = isUnset(method) ? "" : toText(method, `${path}.method`);
  if (serviceName === "" && methodName !== "") {
    throw new TransportOptionError(
      `${path}.service`,
      `expected the service of method ${quote(methodName)}, found none`,
    );
  }
  return `${serviceName}/${methodName}`;
}

function parseMethodConfig(config: JsonObject, path: string): MethodConfig {
  const { timeout, waitForReady, retryPolicy, hedgingPolicy } = config;
  if (!isUnset(hedgingPolicy)) {
    throw new TransportOptionError(`${path}.hedgingPolicy`, "hedging is not supported; retryPolicy is");
  }
  return {
    timeoutMs: isUnset(timeout) ? undefined : toMs(timeout, `${path}.timeout`),
    waitsForReady: isUnset(waitForReady) ? undefined : toBoolean(waitForReady, `${path}.waitForReady`),
    retryPolicy: isUnset(retryPolicy)
      ? undefined
      : parseRetryPolicy(toObject(retryPolicy, `${path}.retryPolicy`), `${path}.retryPolicy`),
  };
}

/** A larger `maxAttempts` counts as this one. */
const attemptsMax = 5;

function parseRetryPolicy(policy: JsonObject, path: string): RetryPolicy {
  const { maxAttempts, initialBackoff, maxBackoff, backoffMultiplier, retryableStatusCodes } = policy;
  const codes = toArray(retryableStatusCodes, `${path}.retryableStatusCodes`);
  if (codes.length === 0) throw wrong(`${path}.retryableStatusCodes`, "at least one status code", "none");
  return {
    maxAttempts: Math.min(attemptsMax, toAttempts(maxAttempts, `${path}.maxAttempts`)),
    initialBackoffMs: toMs(initialBackoff, `${path}.initialBackoff`),
    maxBackoffMs: toMs(maxBackoff, `${path}.maxBackoff`),
    backoffMultiplier: toPositive(backoffMultiplier, `${path}.backoffMultiplier`),
    codes: new Set(codes.map((code, index) => toCode(code, `${path}.retryableStatusCodes[${index}]`))),
  };
}

function parseThrottling({ maxTokens, tokenRatio }: JsonObject): RetryThrottling {
  const path = "serviceConfig.retryThrottling";
  const tokens = toPositive(maxTokens, `${path}.maxTokens`);
  if (tokens > 1000) throw wrong(`${path}.maxTokens`, "at most 1000", String(tokens));
  return { maxTokens: tokens, tokenRatio: toPositive(tokenRatio, `${path}.tokenRatio`) };
}

/** Each item has one member, whose name is the policy. */
function parseLoadBalancing(value: Json, path: string): LoadBalancing | undefined {
  if (isUnset(value)) return undefined;
  const names = toArray(value, path).map((item, index) => {
    const names = Object.keys(toObject(item, `${path}[${index}]`));
    const [name] = names;
    if (name !== undefined && names.length === 1) return name;
    throw wrong(`${path}[${index}]`, "one member, the policy", name === undefined ? "none" : names.join(", "));
  });
  const known = names.find(isKnownPolicy);
  if (known === undefined && names.length > 0) {
    throw wrong(path, `one of ${loadBalancingPolicies.join(", ")}`, names.map((name) => quote(name)).join(", "));
  }
  return known;
}

function isKnownPolicy(name: string): name is LoadBalancing {
  return loadBalancingPolicies.some((policy) => policy === name);
}

/** JSON of protobuf does not tell null from what is missing. */
function isUnset(value: Json): value is null | undefined {
  return value === undefined || value === null;
}

function wrong(path: string, expected: string, found: string): TransportOptionError {
  return new TransportOptionError(path, `expected ${expected}, found ${found}`);
}

function toObject(value: Json, path: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw wrong(path, "an object", describeValue(value));
}

function toArray(value: Json, path: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  throw wrong(path, "an array", describeValue(value));
}

function toText(value: Json, path: string): string {
  if (typeof value === "string") return value;
  throw wrong(path, "a string", describeValue(value));
}

function toBoolean(value: Json, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw wrong(path, "true or false", describeValue(value));
}

function toPositive(value: Json, path: string): number {
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw wrong(path, "a number above 0", describeValue(value));
}

function toAttempts(value: Json, path: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 2) return value;
  throw wrong(path, "a whole number of at least 2", describeValue(value));
}

/** A duration in protobuf's JSON: seconds with at most nine decimals, and an "s". */
function toMs(value: Json, path: string): number {
  const seconds = typeof value === "string" ? /^(?=\.?\d)(\d*(?:\.\d{0,9})?)s$/.exec(value)?.[1] : undefined;
  if (seconds !== undefined && Number(seconds) > 0) return Number(seconds) * 1000;
  throw wrong(path, 'a duration above 0, such as "1.5s"', describeValue(value));
}

/** gRPC's name of it, or its number: https://github.com/grpc/grpc/blob/v1.71.0/doc/statuscodes.md */
function toCode(value: Json, path: string): Code {
  const ofName = typeof value === "string" ? nameToCode(value.toUpperCase()) : undefined;
  const code = typeof value === "number" ? numberToCode(value) : ofName;
  if (code !== undefined) return code;
  throw wrong(path, 'a status code such as "UNAVAILABLE" or 14', describeValue(value));
}
