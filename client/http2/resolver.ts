// Finds the addresses of the servers: those that were given, and those that names stand for now.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Address } from "./address.js";
import { Backoff } from "./backoff.js";

/** Returns the IP addresses of a name. Rejects if it has none. */
export type Lookup = (name: string) => Promise<readonly { readonly address: string }[]>;

/** As Node's sockets look names up: `getaddrinfo`, in its order. */
const lookupAll: Lookup = (name) => lookup(name, { all: true });

/** Lost connections do not make it look names up more often than this. */
const spacingMs = 1000;

export interface ResolverOptions {
  /** Where the servers are. Their hosts may be names. */
  readonly targets: readonly Address[];
  readonly backoffMaxMs: number;
  readonly lookup?: Lookup | undefined;
}

export interface ResolverListener {
  /** The addresses are these now. At least one. */
  onAddresses(addresses: readonly Address[]): void;
  /** No address is known: see `error`. */
  onUnresolved(): void;
  /** After a failure, it is time for the next attempt. */
  onResolveRetry(): void;
}

export class Resolver {
  readonly #targets: readonly Address[];
  readonly #names: readonly string[];
  readonly #lookup: Lookup;
  readonly #listener: ResolverListener;
  readonly #backoff: Backoff;
  /** The addresses that each name had when it was found last. */
  readonly #known = new Map<string, readonly string[]>();
  /** Whether there were addresses. */
  #hasFound = false;
  #isResolving = false;
  #isStopped = false;
  /** Why no address is known. */
  error: ConnectError | undefined;

  constructor({ targets, backoffMaxMs, lookup = lookupAll }: ResolverOptions, listener: ResolverListener) {
    this.#targets = targets;
    this.#names = [...new Set(targets.flatMap((one) => (isName(one) ? one.host : [])))];
    this.#lookup = lookup;
    this.#listener = listener;
    this.#backoff = new Backoff({ maxMs: backoffMaxMs, onOver: () => listener.onResolveRetry() });
  }

  /** Whether it never finds other addresses than one. */
  get isFixed(): boolean {
    return this.#names.length === 0 && this.#targets.length === 1;
  }

  /** Whether it looks names up now. */
  get isTrying(): boolean {
    return this.#isResolving;
  }

  /** Milliseconds since it began to. */
  get trialMs(): number {
    return this.#backoff.ageMs;
  }

  /** Looks names up, unless that is under way, or was done just now. */
  resolve(): void {
    if (this.#names.length === 0) this.#listener.onAddresses(this.#targets);
    else if (!this.#isResolving && this.#isDue) void this.#run();
  }

  /** Says whether calls wait for the addresses. */
  want(isWanted: boolean): void {
    this.#backoff.want(isWanted);
  }

  stop(): void {
    this.#isStopped = true;
    this.#backoff.stop();
  }

  get #isDue(): boolean {
    if (this.#hasFound) return this.#backoff.ageMs >= spacingMs;
    return !this.#backoff.isWaiting || this.#backoff.mayHurry;
  }

  async #run(): Promise<void> {
    this.#isResolving = true;
    this.#backoff.begin();
    const failures = await Promise.all(this.#names.map((name) => this.#find(name)));
    this.#isResolving = false;
    if (this.#isStopped) return;
    const addresses = this.#targets.flatMap((target) => this.#addressesOf(target));
    if (addresses.length > 0) {
      this.#hasFound = true;
      this.error = undefined;
      this.#backoff.succeed();
      this.#listener.onAddresses(addresses);
      return;
    }
    this.error = failures.find((failure) => failure !== undefined);
    this.#backoff.fail();
    this.#listener.onUnresolved();
  }

  /** Returns why the name has no address. It keeps those that it had. */
  async #find(name: string): Promise<ConnectError | undefined> {
    try {
      const found = await this.#lookup(name);
      if (found.length === 0) return new ConnectError(`${name}: no address found`, Code.Unavailable);
      this.#known.set(
        name,
        found.map(({ address }) => address),
      );
      return undefined;
    } catch (error) {
      return new ConnectError(ConnectError.from(error).rawMessage, Code.Unavailable, undefined, undefined, error);
    }
  }

  #addressesOf(target: Address): Address[] {
    if (!isName(target)) return [target];
    return (this.#known.get(target.host) ?? []).map((host) => ({ ...target, host }));
  }
}

function isName(address: Address): address is Extract<Address, { kind: "tcp" }> {
  return address.kind === "tcp" && isIP(address.host) === 0;
}
