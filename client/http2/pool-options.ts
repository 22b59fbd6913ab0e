// Options of the connections over HTTP/2.
import type { Endpoint } from "../base-url.js";
import { TransportOptionError } from "../option-error.js";
import { type Address, addressOf, parseAddress } from "./address.js";
import { type LoadBalancing, loadBalancingPolicies } from "./policy.js";

export interface PoolOptions {
  /**
   * Where the servers are, if not at the host of the URL: `host:port`, `host`, `[::1]:port` or `unix:/path`. The URL still
   * says the authority, and the name that certificates are verified for. Names are looked up, and again every 30 s.
   */
  readonly addresses?: readonly string[] | undefined;
  /**
   * Which address gets a call: the first that can be reached (`pick_first`), the next (`round_robin`), or the one with the
   * fewest open streams (`least_pending`). Default: `pick_first`.
   */
  readonly loadBalancing?: "pick_first" | "round_robin" | "least_pending" | undefined;
  /**
   * Connections to each address at most. Another one is opened when the server allows no more streams on those that there
   * are. Default: 10.
   */
  readonly maxConnections?: number | undefined;
  /**
   * Milliseconds for a connection, its TLS handshake and the server's SETTINGS. Default: 20000.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** Calls that wait for a connection or a stream at most. Further ones fail with `resource_exhausted`. Default: 10000. */
  readonly maxPendingCalls?: number | undefined;
}

/** The options with their defaults. */
export interface CheckedPoolOptions {
  readonly targets: readonly Address[];
  readonly loadBalancing: LoadBalancing;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly maxPendingCalls: number;
}

export const poolOptionNames: readonly (keyof PoolOptions)[] = [
  ...(["addresses", "loadBalancing", "maxConnections", "connectTimeoutMs", "maxPendingCalls"] as const),
];

/** @throws TransportOptionError if one is wrong */
export function checkPoolOptions(options: PoolOptions, endpoint: Endpoint): CheckedPoolOptions {
  const { loadBalancing = "pick_first" } = options;
  if (!loadBalancingPolicies.includes(loadBalancing)) {
    const found = `expected ${loadBalancingPolicies.join(", ")}, found "${String(loadBalancing)}"`;
    throw new TransportOptionError("loadBalancing", found);
  }
  return {
    targets: readAddresses(options.addresses, endpoint),
    loadBalancing,
    maxConnections: wholeNumber("maxConnections", options.maxConnections, 10),
    connectTimeoutMs: wholeNumber("connectTimeoutMs", options.connectTimeoutMs, 20_000),
    maxPendingCalls: wholeNumber("maxPendingCalls", options.maxPendingCalls, 10_000),
  };
}

function readAddresses(texts: readonly string[] | undefined, endpoint: Endpoint): readonly Address[] {
  if (texts === undefined) return [addressOf(endpoint)];
  if (!Array.isArray(texts) || texts.length === 0) {
    throw new TransportOptionError("addresses", "expected at least one address in an array");
  }
  return texts.map((text, index) => {
    const address = typeof text === "string" ? parseAddress(text, endpoint.isTls ? 443 : 80) : undefined;
    if (address !== undefined) return address;
    throw new TransportOptionError(`addresses[${index}]`, `expected host:port or unix:/path, found "${String(text)}"`);
  });
}

/** The longest time of a timer, and more than enough of everything else. */
const maxInt32 = 2 ** 31 - 1;

function wholeNumber(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (Number.isInteger(value) && value > 0 && value <= maxInt32) return value;
  throw new TransportOptionError(name, `expected a whole number from 1 to ${maxInt32}, found ${String(value)}`);
}
