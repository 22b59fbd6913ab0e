// Another server whose services are served here: its connections, and its schema, which is read until that succeeds.
import { setTimeout as delay } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { parseBaseUrl } from "../../client/base-url.js";
import { TransportSettings } from "../../client/call-settings.js";
import { closedError, type Http2Connections, openHttp2 } from "../../client/connections.js";
import type { PoolState } from "../../client/http2/pool.js";
import { withDeadlines } from "../../client/timeout.js";
import { compressionGzip } from "../compressions.js";
import { withDependencies } from "../schema/descriptor-index.js";
import { commonFiles } from "../schema/types.js";
import { backoffMs } from "./backoff.js";
import type { Channel } from "./channel.js";
import { Encodings } from "./encodings.js";
import { UpstreamHealth } from "./health.js";
import type { UpstreamOptions } from "./options.js";
import { readSchema } from "./reflection-client.js";
import { buildSchema, type UpstreamSchema } from "./schema.js";

/** What becomes of an upstream. */
export interface UpstreamListener {
  /** The schema is there, or another one. */
  onSchema(upstream: Upstream): void;
  /** The schema could not be read. It is tried again. */
  onError(error: Error): void;
  /** A service has another status. */
  onHealth(): void;
}

const readMaxBytesDefault = 4 * 1024 * 1024;

/**
 * The longest time between attempts to connect, in milliseconds. With its jitter it is less than 2 s, so that callers do not wait
 * for longer than that once the server is there. To a server that refuses connections an attempt costs next to nothing.
 */
const connectBackoffMaxMs = 1500;

export class Upstream {
  /** As it was given: `localhost:50051`. */
  readonly url: string;
  readonly channel: Channel;
  /** What it says of its services. */
  readonly health: UpstreamHealth;
  /** Undefined until it is known. */
  schema: UpstreamSchema | undefined;
  /** Why there is no schema. Begins with `url`. */
  problem: Error;
  readonly options: UpstreamOptions;
  readonly #listener: UpstreamListener;
  readonly #connections: Http2Connections;
  readonly #settings: TransportSettings;
  readonly #end = new AbortController();
  readonly #ready = withResolvers();

  /** @throws Error if an option is wrong */
  constructor(options: UpstreamOptions, listener: UpstreamListener) {
    this.url = options.url;
    this.problem = new Error(`${this.url}: its schema has not been read yet`);
    this.options = options;
    this.#listener = listener;
    const target = parseBaseUrl(toUrl(options.url));
    this.#settings = new TransportSettings(options);
    const loadBalancing = options.loadBalancing ?? this.#settings.loadBalancing;
    this.#connections = openHttp2(target, { ...options, loadBalancing }, options.tls, {
      staysConnected: true,
      backoffMaxMs: connectBackoffMaxMs,
    });
    this.channel = openChannel(this.#connections, target.url, options, this.#settings);
    this.health = new UpstreamHealth(this.channel.ownCalls, this.#end.signal, () => listener.onHealth());
    if (options.descriptorSet !== undefined) this.schema = readDescriptorSet(options.descriptorSet, options.services);
    if (this.schema !== undefined) this.#ready.resolve();
  }

  /** Whether the server can be reached. */
  get state(): PoolState {
    return this.#connections.pool.state;
  }

  /** Resolves when the schema is known. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Reads the schema until it is known. */
  start(): void {
    this.#connections.pool.connect();
    if (this.schema === undefined) void this.#keepLearning();
  }

  /** Reads the schema once, unless it is known. @throws Error if it cannot be read: `problem` */
  async learn(): Promise<void> {
    if (this.schema !== undefined) return;
    try {
      this.schema = await this.#read();
    } catch (error) {
      this.problem = new Error(`${this.url}: ${ConnectError.from(error).message}`, { cause: error });
      throw this.problem;
    }
    this.#listener.onSchema(this);
    this.#ready.resolve();
  }

  async #read(): Promise<UpstreamSchema> {
    // Loaded only here: most servers need none of Google's files.
    const { knownFiles } = await import("../schema/known-files.js");
    const isKnown = (name: string) => knownFiles.has(name);
    const { services, files } = await readSchema(this.channel.ownCalls, isKnown, this.#end.signal);
    return buildSchema(files, knownFiles, this.options.services ?? services);
  }

  close(): void {
    this.#end.abort();
    this.#settings.close(closedError());
    this.#connections.close();
  }

  async #keepLearning(): Promise<void> {
    const { signal } = this.#end;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await this.learn();
        return;
      } catch {
        if (signal.aborted) return;
        this.#listener.onError(this.problem);
      }
      await delay(backoffMs(failures), undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/** `localhost:50051` is plaintext, as for gRPC's clients. */
function toUrl(text: string): string {
  return /^(?:https?:|unix:)/.test(text) ? text : `http://${text}`;
}

function openChannel(
  { openGrpc, pool }: Http2Connections,
  baseUrl: string,
  options: UpstreamOptions,
  settings: TransportSettings,
): Channel {
  const { readMaxBytes = readMaxBytesDefault, serviceConfig } = options;
  const common = {
    baseUrl,
    interceptors: [],
    useBinaryFormat: true,
    acceptCompression: [compressionGzip],
    sendCompression: null,
    compressMinBytes: 1024,
    readMaxBytes,
    writeMaxBytes: 0xffff_ffff,
  };
  const ownCalls = openGrpc(common);
  const { of: settingsOf } = settings;
  const messages =
    serviceConfig === undefined
      ? ownCalls
      : settings.limitTime(withDeadlines(openGrpc({ ...common, settingsOf }), "grpc", undefined));
  return { messages, ownCalls, requests: pool, baseUrl, readMaxBytes, encodings: new Encodings(), settingsOf };
}

function readDescriptorSet(bytes: Uint8Array, names: readonly string[] | undefined): UpstreamSchema {
  return buildSchema(fromBinary(FileDescriptorSetSchema, bytes).file, withDependencies(commonFiles), names);
}

/** As `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
