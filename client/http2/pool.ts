// The connections of one transport: to one address or several, opened when calls need them. Calls for which there is no room
// wait in their order.
import { Code, ConnectError } from "@connectrpc/connect";
import { type Address, formatAddress } from "./address.js";
import { copyError } from "./endings.js";
import { startTimer } from "./keepalive.js";
import { createPolicy } from "./policies.js";
import type { LoadBalancing, Policy, PolicyHost } from "./policy.js";
import { Repeats } from "./repeats.js";
import type { Request } from "./request.js";
import { type Lookup, Resolver, type ResolverListener } from "./resolver.js";
import type { Session } from "./session.js";
import { Subchannel, type SubchannelListener, type SubchannelOptions, type SubchannelState } from "./subchannel.js";

/** Milliseconds after which names are looked up again, while there are calls. */
const refreshMs = 30_000;

/** Milliseconds for which a call waits for the attempt to connect that follows a failure. Then it fails with the cause. */
const patienceMs = 1000;

export interface PoolSettings extends SubchannelOptions {
  /** Where the servers are. Their hosts may be names. */
  readonly targets: readonly Address[];
  readonly loadBalancing: LoadBalancing;
  /** Calls that wait for a connection at most. */
  readonly maxPendingCalls: number;
  /** Whether connections are kept without calls, from `connect` on. */
  readonly staysConnected: boolean;
  /** Looks up the addresses of a name. Default: as Node's sockets do. */
  readonly lookup?: Lookup | undefined;
  /** Called when a connection to an address is there which had none: for the first time, or again. */
  readonly onReady?: (() => void) | undefined;
}

/** Whether servers can be reached. `error` says why not. */
export type PoolState =
  | { readonly kind: "idle" | "connecting" | "ready" }
  | { readonly kind: "failing"; readonly error: ConnectError };

/** The numbers of a pool at one moment. */
export interface PoolStats {
  /** Addresses by what has become of them. */
  readonly addresses: Readonly<Record<SubchannelState, number>>;
  /** Open connections that take calls. */
  readonly connections: number;
  /** Calls on them. */
  readonly activeCalls: number;
  /** Calls that wait for a connection. */
  readonly waitingCalls: number;
}

export class Pool implements SubchannelListener, PolicyHost, ResolverListener {
  readonly #settings: PoolSettings;
  readonly #policy: Policy;
  readonly #sessions = new Set<Session>();
  readonly #waiting = new Set<Request>();
  readonly #repeats = new Repeats();
  #resolver: Resolver;
  #subchannels: readonly Subchannel[] = [];
  /** Why the last attempt to connect failed. */
  #lastError: ConnectError | undefined;
  #isActive = false;
  /** Streams that had been opened when names were looked up last. */
  #opened = 0;
  #refreshTimer: NodeJS.Timeout | undefined;
  #patienceTimer: NodeJS.Timeout | undefined;

  constructor(settings: PoolSettings) {
    // What stays connected is never idle for too long.
    this.#settings = settings.staysConnected
      ? { ...settings, idleConnectionTimeoutMs: Number.POSITIVE_INFINITY }
      : { ...settings };
    this.#policy = createPolicy(settings.loadBalancing, this);
    this.#resolver = new Resolver(settings, this);
  }

  /** Opens the request's stream, now or when there is room. */
  send(request: Request): void {
    if (this.#waiting.size === 0 && this.#policy.open(request)) return;
    this.#wait(request);
  }

  /** Forgets a request that waits. Returns false if it does not. */
  cancel(request: Request): boolean {
    if (!this.#waiting.delete(request)) return false;
    if (this.#waiting.size === 0) this.#want(false);
    return true;
  }

  /** Opens connections now, where a call would otherwise. */
  connect(): void {
    this.#isActive = true;
    this.#planRefresh();
    if (this.#subchannels.length === 0) this.#resolver.resolve();
    this.#policy.connect();
  }

  /** Ends all connections. Calls fail with the error; later ones connect again. */
  close(reason: ConnectError): void {
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#patienceTimer);
    this.#refreshTimer = undefined;
    this.#patienceTimer = undefined;
    this.#isActive = false;
    this.#resolver.stop();
    this.#resolver = new Resolver(this.#settings, this);
    const subchannels = this.#subchannels;
    const waiting = [...this.#waiting];
    this.#subchannels = [];
    this.#waiting.clear();
    this.#policy.update([]);
    for (const session of [...this.#sessions]) session.close(reason);
    for (const subchannel of subchannels) subchannel.retire();
    for (const request of waiting) request.onFail(copyError(reason));
  }

  get state(): PoolState {
    if (this.#subchannels.some(({ state }) => state === "ready")) return { kind: "ready" };
    const error = this.#failure;
    if (error !== undefined) return { kind: "failing", error };
    const isTrying = this.#resolver.isTrying || this.#subchannels.some((one) => one.isTrying);
    return { kind: isTrying ? "connecting" : "idle" };
  }

  get stats(): PoolStats {
    const addresses = { idle: 0, connecting: 0, ready: 0, failing: 0 };
    const numbers = { connections: 0, activeCalls: 0 };
    for (const { state, connections, pending } of this.#subchannels) {
      addresses[state]++;
      numbers.connections += connections;
      numbers.activeCalls += pending;
    }
    return { addresses, ...numbers, waitingCalls: this.#waiting.size };
  }

  /** Requests that were sent again because the server had not processed them. */
  get repeated(): number {
    return this.#repeats.count;
  }

  get isWanted(): boolean {
    return this.#waiting.size > 0 || (this.#isActive && this.#settings.staysConnected);
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  onAddresses(addresses: readonly Address[]): void {
    const before = new Map(this.#subchannels.map((one) => [formatAddress(one.address), one]));
    const wanted = new Map(addresses.map((address) => [formatAddress(address), address]));
    if ([...before.keys()].join() === [...wanted.keys()].join()) return;
    this.#subchannels = [...wanted].map(([key, address]) => before.get(key) ?? this.#createSubchannel(address));
    this.#policy.update(this.#subchannels);
    for (const [key, subchannel] of before) if (!wanted.has(key)) subchannel.retire();
    this.#failHopeless();
  }

  onUnresolved(): void {
    this.#failHopeless();
  }

  onResolveRetry(): void {
    if (this.#isActive) this.#resolver.resolve();
  }

  onChange(subchannel: Subchannel): void {
    this.#policy.onChange(subchannel);
    if (subchannel.state === "ready") {
      this.#settings.onReady?.();
      return;
    }
    this.#lastError = subchannel.error ?? this.#lastError;
    if (this.#isActive) this.#resolver.resolve();
    this.#failHopeless();
  }

  onRoom(): void {
    if (this.#waiting.size === 0) return;
    for (const request of this.#waiting) {
      if (!this.#policy.open(request)) break;
      this.#waiting.delete(request);
    }
    if (this.#waiting.size === 0) this.#want(false);
    else this.#policy.connect();
  }

  onRetry(subchannel: Subchannel): void {
    this.#policy.onRetry(subchannel);
  }

  onUnprocessed(request: Request, isRefused: boolean, error: ConnectError): void {
    if (this.#repeats.prepare(request, isRefused)) this.send(request);
    else request.onFail(error);
  }

  onTooManyPings(): void {
    // All connections share the settings.
    this.#settings.pingIntervalMs *= 2;
  }

  #createSubchannel(address: Address): Subchannel {
    const subchannel = new Subchannel(address, this.#settings, this.#sessions, this);
    subchannel.want(this.#waiting.size > 0);
    return subchannel;
  }

  #wait(request: Request): void {
    const { maxPendingCalls } = this.#settings;
    if (this.#waiting.size >= maxPendingCalls) {
      const text = `maxPendingCalls: ${maxPendingCalls} calls wait for a connection already`;
      request.onFail(new ConnectError(text, Code.ResourceExhausted));
      return;
    }
    this.#waiting.add(request);
    if (this.#waiting.size === 1) this.#want(true);
    this.connect();
    this.#failHopeless();
  }

  /** Says whether calls wait for a connection: what leads to one then keeps the process alive. */
  #want(isWanted: boolean): void {
    this.#resolver.want(isWanted);
    for (const subchannel of this.#subchannels) subchannel.want(isWanted);
  }

  /** Why no server can be reached: every address has failed. */
  get #failure(): ConnectError | undefined {
    if (this.#subchannels.length === 0) return this.#resolver.error;
    return this.#subchannels.every(({ state }) => state === "failing") ? this.#lastError : undefined;
  }

  /** Fails the calls that wait, if no server can be reached. */
  #failHopeless(): void {
    const error = this.#failure;
    if (error === undefined || this.#waiting.size === 0) return;
    const restMs = this.#restOfPatience();
    if (restMs > 0) {
      this.#patienceTimer ??= setTimeout(() => {
        this.#patienceTimer = undefined;
        this.#failHopeless();
      }, Math.ceil(restMs)).unref();
      return;
    }
    for (const request of [...this.#waiting]) {
      if (request.waitsForReady === true || !this.#waiting.delete(request)) continue;
      request.onFail(copyError(error));
    }
    if (this.#waiting.size === 0) this.#want(false);
  }

  /** Milliseconds for which calls wait for the attempts that are under way. */
  #restOfPatience(): number {
    const attempts = this.#subchannels.length === 0 ? [this.#resolver] : this.#subchannels;
    return Math.max(0, ...attempts.map(({ isTrying, trialMs }) => (isTrying ? patienceMs - trialMs : 0)));
  }

  /** Looks names up again if there have been calls. */
  #refresh(): void {
    const opened = this.#subchannels.reduce((sum, one) => sum + one.opened, 0);
    const isBusy = this.#waiting.size > 0 || this.#subchannels.some(({ pending }) => pending > 0);
    this.#isActive = isBusy || opened !== this.#opened || this.#settings.staysConnected;
    this.#opened = opened;
    this.#refreshTimer = undefined;
    if (this.#isActive) {
      this.#resolver.resolve();
      // Connections that were idle for long have been closed.
      this.#policy.update(this.#subchannels);
    }
    if (this.#isActive || this.#sessions.size > 0) this.#planRefresh();
  }

  #planRefresh(): void {
    if (!this.#resolver.isFixed) this.#refreshTimer ??= startTimer(() => this.#refresh(), refreshMs);
  }
}
