// Another server whose services are served here: its connections, and its schema, which is read again when it may have
// changed.
import { Code, ConnectError } from "@connectrpc/connect";
import { parseBaseUrl, toBaseUrl } from "../../client/base-url.js";
import { TransportSettings } from "../../client/call-settings.js";
import { closedError, type Http2Connections, openHttp2 } from "../../client/connections.js";
import type { PoolState } from "../../client/http2/pool.js";
import { withDeadlines } from "../../client/timeout.js";
import { toError } from "../call/error.js";
import { compressionGzip } from "../compressions.js";
import { createDeferred } from "../deferred.js";
import { withDependencies } from "../schema/descriptor-index.js";
import { type FileSource, parseFile, splitDescriptorSet } from "../schema/file-source.js";
import { commonFiles } from "../schema/types.js";
import type { Channel } from "./channel.js";
import { Encodings } from "./encodings.js";
import { UpstreamHealth } from "./health.js";
import type { UpstreamOptions } from "./options.js";
import { type ReflectedSchema, readSchema, schemaBytesMax } from "./reflection-client.js";
import { type Reason, Refresher } from "./refresher.js";
import { buildSchema, type UpstreamSchema } from "./schema.js";
import { hashSchema, SchemaCache } from "./schema-cache.js";
import type { UpstreamStats } from "./stats.js";

/** What becomes of an upstream. */
export interface UpstreamListener {
  /** The schema is there, or another one. What it throws leaves the upstream with the schema that it had. */
  onSchema(upstream: Upstream): void;
  /** The schema could not be read or used, or saved. Called once until that changes. The message begins with `url`. */
  onError(error: Error): void;
  /** A service has another status. */
  onHealth(): void;
}

const readMaxBytesDefault = 4 * 1024 * 1024;

/**
 * The longest time between attempts to connect, in milliseconds. With its jitter it is less than 1.5 s, so that a server is
 * served within 2 s of its start. To a server that refuses connections an attempt costs next to nothing.
 */
const connectBackoffMaxMs = 1200;

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
  readonly #ready = createDeferred<void>();
  readonly #set: readonly FileSource[] | undefined;
  readonly #cache: SchemaCache | undefined;
  readonly #refresher = new Refresher(() => this.#readOrSay());
  /** Hash of what the schema was made of. */
  #hash: string | undefined;
  /** The hash of what could not be used, and why. */
  #refused: { readonly hash: string; readonly reason: unknown } | undefined;
  /** What `onError` was called with last, since the last success. */
  #said = "";

  /** @throws Error if an option is wrong */
  constructor(options: UpstreamOptions, listener: UpstreamListener) {
    const { url, tls = {}, descriptorSet, schemaCache, services, reflection = true } = options;
    if (!reflection && descriptorSet === undefined) {
      throw new TypeError("reflection: expected descriptorSet to go with false, found none");
    }
    this.url = url;
    this.problem = new Error(`${url}: its schema has not been read yet`);
    this.options = options;
    this.#listener = listener;
    this.#set = descriptorSet && parseSet(descriptorSet);
    this.#cache = schemaCache === undefined ? undefined : openCache(schemaCache);
    const target = parseBaseUrl(toBaseUrl(url));
    this.#settings = new TransportSettings(options);
    const loadBalancing = options.loadBalancing ?? this.#settings.loadBalancing;
    this.#connections = openHttp2(target, { ...options, loadBalancing }, tls, {
      staysConnected: true,
      backoffMaxMs: connectBackoffMaxMs,
      // After all that has arrived from callers has been read: calls of several connections then leave in one write.
      schedule: setImmediate,
      onReady: () => {
        this.suspect("connection");
        this.health.retry();
      },
    });
    this.channel = {
      ...openChannel(this.#connections, target.url, options, this.#settings),
      onUnimplemented: () => this.suspect("contradiction"),
    };
    this.health = new UpstreamHealth({
      transport: this.channel.ownCalls,
      signal: this.#end.signal,
      isReachable: () => this.state.kind !== "failing",
      onChange: () => listener.onHealth(),
    });
    if (this.#set !== undefined) this.schema = buildSchema({ set: this.#set }, withDependencies(commonFiles), services);
    if (!reflection) this.#ready.resolve();
  }

  /** Whether the server can be reached. */
  get state(): PoolState {
    return this.#connections.pool.state;
  }

  /** The numbers of its connections and calls. */
  get stats(): UpstreamStats {
    const { stats, repeated } = this.#connections.pool;
    return { url: this.url, ...stats, retries: this.#settings.retries + repeated };
  }

  /** Resolves when the schema is known, after the server was asked for it. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Connects, and stays connected. */
  connect(): void {
    this.#connections.pool.connect();
  }

  /** Reads the schema until it is known, and again when it may have changed. */
  start(): void {
    this.connect();
    if (this.options.reflection === false) return;
    void this.#loadCache().then(() => this.#refresher.request("start"));
  }

  /** Reads the schema once. @throws Error if it cannot be read, and none is known: `problem` */
  async learn(): Promise<void> {
    if (this.options.reflection === false) return;
    await this.#loadCache();
    await this.#read().catch((error) => {
      if (this.schema === undefined) throw this.problem;
      this.#sayFailure(error);
      this.suspect("connection");
    });
  }

  /** Reads the schema again. Rejects if that fails; the schema stays then. */
  async refresh(): Promise<void> {
    if (this.options.reflection !== false) await this.#refresher.refresh();
  }

  /** Reads the schema again soon, since it may have changed. */
  suspect(reason: Extract<Reason, "connection" | "contradiction">): void {
    if (this.options.reflection !== false) this.#refresher.request(reason);
  }

  close(): void {
    const reason = new Error(`${this.url}: closed`);
    this.#refresher.close(reason);
    this.#end.abort(reason);
    this.#settings.close(closedError());
    this.#connections.close();
  }

  /** Serves what was saved, until the server has been asked. */
  async #loadCache(): Promise<void> {
    try {
      const saved = this.#cache?.load(this.url);
      if (saved !== undefined) await this.#use(saved);
    } catch (error) {
      this.#say(toError(error).message);
    }
  }

  async #read(): Promise<void> {
    try {
      const reflected = await this.#ask();
      if (reflected !== undefined) await this.#use(reflected);
      this.#said = "";
    } catch (error) {
      if (this.#end.signal.aborted) throw error;
      const { message } = toError(error);
      if (this.schema === undefined) this.problem = new Error(`${this.url}: ${message}`, { cause: error });
      throw error;
    } finally {
      if (this.schema !== undefined) this.#ready.resolve();
    }
  }

  async #readOrSay(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      if (!this.#end.signal.aborted) this.#sayFailure(error);
      throw error;
    }
  }

  #sayFailure(error: unknown): void {
    const { message } = toError(error);
    this.#say(this.schema === undefined ? message : `schema not read again, the old one stays: ${message}`);
  }

  /** Returns undefined if the server has no reflection, and need not. */
  async #ask(): Promise<ReflectedSchema | undefined> {
    const isKnown = await loadKnownFiles().then((files) => (name: string) => files.has(name));
    try {
      return await readSchema(this.channel.ownCalls, isKnown, this.#end.signal);
    } catch (error) {
      if (this.#set !== undefined && ConnectError.from(error).code === Code.Unimplemented) return undefined;
      throw error;
    }
  }

  /** Serves a schema, unless it is served. @throws Error if it cannot be served */
  async #use(reflected: ReflectedSchema): Promise<void> {
    const hash = hashSchema(reflected);
    if (hash === this.#hash) return;
    if (hash === this.#refused?.hash) throw this.#refused.reason;
    const schema = buildSchema({ set: this.#set, reflected }, await loadKnownFiles(), this.options.services);
    try {
      this.#replace(schema);
    } catch (reason) {
      this.#refused = { hash, reason };
      throw reason;
    }
    this.#hash = hash;
    this.#save(reflected);
  }

  /** @throws Error if the server has services that would be lost */
  #replace(schema: UpstreamSchema): void {
    const before = this.schema;
    const lost = before?.services.find(({ typeName }) => schema.broken.includes(typeName));
    if (lost !== undefined) throw new Error(schema.unserved.find((line) => line.startsWith(`${lost.typeName}: `)));
    this.schema = schema;
    try {
      this.#listener.onSchema(this);
    } catch (error) {
      this.schema = before;
      throw error;
    }
  }

  #save(reflected: ReflectedSchema): void {
    try {
      this.#cache?.save(this.url, reflected);
    } catch (error) {
      this.#say(`schema not saved: ${toError(error).message}`);
    }
  }

  #say(text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#listener.onError(new Error(`${this.url}: ${text}`));
  }
}

function parseSet(bytes: Uint8Array): FileSource[] {
  try {
    return splitDescriptorSet(bytes).map(parseFile);
  } catch (error) {
    const expected = "descriptorSet: expected a serialised google.protobuf.FileDescriptorSet";
    throw new TypeError(`${expected}: ${toError(error).message}`, { cause: error });
  }
}

function openCache(path: string): SchemaCache {
  try {
    return new SchemaCache(path);
  } catch (error) {
    throw new TypeError(`schemaCache: ${toError(error).message}`, { cause: error });
  }
}

/** Loaded only when it is needed: most servers need none of Google's files. */
async function loadKnownFiles() {
  return (await import("../schema/known-files.js")).knownFiles;
}

function openChannel(
  { openGrpc, pool }: Http2Connections,
  baseUrl: string,
  options: UpstreamOptions,
  settings: TransportSettings,
): Omit<Channel, "onUnimplemented"> {
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
  const { of: settingsOf } = settings;
  const messages =
    serviceConfig === undefined
      ? openGrpc(common)
      : settings.limitTime(withDeadlines(openGrpc({ ...common, settingsOf }), "grpc", undefined));
  const ownCalls = openGrpc({ ...common, readMaxBytes: schemaBytesMax });
  return { messages, ownCalls, requests: pool, baseUrl, readMaxBytes, encodings: new Encodings(), settingsOf };
}
