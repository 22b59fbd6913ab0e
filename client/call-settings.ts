/** How the calls of each method are made: what the options of a transport and its service config say together. */
import type { DescMethod, JsonValue } from "@bufbuild/protobuf";
import type { ConnectError, ContextValues, Transport } from "@connectrpc/connect";
import { describeValue } from "../server/quote.js";
import type { LoadBalancing } from "./http2/policy.js";
import { TransportOptionError } from "./option-error.js";
import { RetryThrottle } from "./retry/policy.js";
import { ReplayMemory } from "./retry/replay-buffer.js";
import { Retry, type RetryContext } from "./retry/retry.js";
import { Waits } from "./retry/waits.js";
import { findMethodConfig, type MethodConfig, parseServiceConfig, type ServiceConfig } from "./service-config.js";
import { withLongestDeadlines } from "./timeout.js";
import { waitForReady } from "./wait-for-ready.js";

/** Options that settings are made of. */
export interface CallSettingsOptions {
  readonly serviceConfig?: JsonValue | undefined;
  /** Whether calls of methods for which the service config says nothing wait for a connection. */
  readonly waitForReady?: boolean | undefined;
}

/** How the calls of one method are made. */
export interface CallSettings {
  /** The longest deadline. Undefined: what the call, or the transport, says. */
  readonly timeoutMs: number | undefined;
  /** Undefined: calls are sent once. */
  readonly retry: Retry | undefined;
  /** Returns whether a call waits for a connection. */
  waits(contextValues: ContextValues | undefined): boolean;
}

/** Whether calls of a method are sent once, with no deadline but their own. */
export function isPlain({ retry, timeoutMs }: CallSettings): boolean {
  return retry === undefined && timeoutMs === undefined;
}

/** Returns how the calls of a method are made. */
export type SettingsOf = (method: DescMethod) => CallSettings;

/** The settings of a transport that says nothing. */
export const defaultSettings: CallSettings = {
  timeoutMs: undefined,
  retry: undefined,
  waits: (contextValues) => contextValues?.get(waitForReady) === true,
};

/** The settings of all methods that a transport calls. */
export class TransportSettings {
  readonly #config: ServiceConfig | undefined;
  readonly #waitsForReady: boolean;
  readonly #retries: RetryContext;
  /** Attempts after the first of their calls. */
  retries = 0;
  readonly #known = new Map<DescMethod, CallSettings>();

  /** @throws TransportOptionError that names what is wrong in the service config */
  constructor(options: CallSettingsOptions) {
    this.#config = options.serviceConfig === undefined ? undefined : parseServiceConfig(options.serviceConfig);
    this.#waitsForReady = checkWaitForReady(options.waitForReady);
    this.#retries = createRetryContext(this.#config, () => this.retries++);
  }

  get loadBalancing(): LoadBalancing | undefined {
    return this.#config?.loadBalancing;
  }

  /** Whether calls of some method wait for a connection without asking for it themselves. */
  get hasWaiting(): boolean {
    return this.#waitsForReady || this.#configs.some(({ waitsForReady }) => waitsForReady === true);
  }

  /** Whether calls of some method are sent again if they fail. */
  get hasRetries(): boolean {
    return this.#configs.some(({ retryPolicy }) => retryPolicy !== undefined);
  }

  /** Returns a transport whose calls have at most the time that is configured for their method. */
  limitTime(transport: Transport): Transport {
    const hasTimeouts = this.#configs.some(({ timeoutMs }) => timeoutMs !== undefined);
    return hasTimeouts ? withLongestDeadlines(transport, (method) => this.of(method).timeoutMs) : transport;
  }

  readonly of: SettingsOf = (method) => {
    const known = this.#known.get(method);
    if (known !== undefined) return known;
    const settings = this.#create(method);
    this.#known.set(method, settings);
    return settings;
  };

  /** Ends waits between attempts: their calls fail with the error. */
  close(reason: ConnectError): void {
    this.#retries.waits.endAll(reason);
  }

  get #configs(): readonly MethodConfig[] {
    return [...(this.#config?.methodConfigs.values() ?? [])];
  }

  #create(method: DescMethod): CallSettings {
    const config = this.#config === undefined ? undefined : findMethodConfig(this.#config, method);
    const policy = config?.retryPolicy;
    const isRetried = policy !== undefined || this.#retries.throttle !== undefined;
    const waitsForReady = config?.waitsForReady ?? this.#waitsForReady;
    return {
      timeoutMs: config?.timeoutMs,
      retry: isRetried ? new Retry(policy, this.#retries) : undefined,
      waits: (contextValues) => contextValues?.get(waitForReady) ?? waitsForReady,
    };
  }
}

function checkWaitForReady(value: boolean | undefined): boolean {
  if (value === undefined || typeof value === "boolean") return value ?? false;
  throw new TransportOptionError("waitForReady", `expected true or false, found ${describeValue(value)}`);
}

/** Bytes of requests that a transport keeps to send them again, as in grpc-js. */
const memoryMaxBytes = 16 * 1024 * 1024;

function createRetryContext(config: ServiceConfig | undefined, onRetry: () => void): RetryContext {
  const throttling = config?.retryThrottling;
  return {
    throttle: throttling === undefined ? undefined : new RetryThrottle(throttling.maxTokens, throttling.tokenRatio),
    memory: new ReplayMemory(memoryMaxBytes),
    waits: new Waits(),
    random: Math.random,
    onRetry,
  };
}
