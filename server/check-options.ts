// Checks names and types of options, which TypeScript does not do for programs in JavaScript.
import type { ListenLimits } from "./listen/limits.js";
import type { TlsOptions } from "./listen/tls.js";
import type { CorsOptions } from "./operate/cors/options.js";
import type { CallLimits } from "./operate/overload/limits.js";
import type { PagesOptions, ServerOptions } from "./options.js";
import { describeValue, quote } from "./quote.js";
import type { ReloadOptions } from "./reload.js";
import { didYouMean } from "./suggest.js";
import type { RestOptions } from "./transcode/transcoder.js";
import type { UpstreamOptions } from "./upstream/options.js";

/** What a value has to be; undefined for anything. */
interface Type {
  readonly expected: string;
  readonly matches: (value: unknown) => boolean;
  /** Types of its own options. */
  readonly options?: Types<object>;
  /** Types of the options that each item of a list has. */
  readonly items?: Types<object>;
}

type Types<Options> = { readonly [Name in keyof Required<Options>]: Type };

const ofType = (expected: string, name: string): Type => ({ expected, matches: (value) => typeof value === name });
const number = ofType("a number", "number");
const boolean = ofType("true or false", "boolean");
const string = ofType("a string", "string");
const callback = ofType("a function", "function");
const milliseconds = ofType("a number of milliseconds", "number");
const bytes = ofType("a number of bytes", "number");
const list: Type = { expected: "an array", matches: Array.isArray };
const object: Type = { expected: "an object", matches: isObject };
const anything: Type = { expected: "", matches: () => true };
const binary: Type = { expected: "a Uint8Array", matches: (value) => value instanceof Uint8Array };
const pem: Type = {
  expected: "PEM, a string or a Buffer",
  matches: (value) => string.matches(value) || binary.matches(value),
};

const limits: Types<ListenLimits & CallLimits> = {
  concurrentCalls: number,
  maxLagMs: milliseconds,
  connections: number,
  connectionsPerAddress: number,
  headerBytes: bytes,
  headerCount: number,
  streamsPerConnection: number,
  openingMs: milliseconds,
  headersMs: milliseconds,
  requestMs: milliseconds,
  keepAliveMs: milliseconds,
  maxConnectionAgeMs: milliseconds,
  maxConnectionAgeGraceMs: milliseconds,
  maxConnectionIdleMs: milliseconds,
  probeMs: milliseconds,
  sessionMemoryMb: number,
  unsentBytes: bytes,
  stallMs: milliseconds,
  streamWindowBytes: bytes,
  connectionWindowBytes: bytes,
  headerBlockBytes: bytes,
  continuationFrames: number,
  invalidFrames: number,
  rejectedStreams: number,
  settingsPerFrame: number,
  resetBurst: number,
  resetsPerSecond: number,
  controlBurst: number,
  controlsPerSecond: number,
  lingerMs: milliseconds,
  lingerBytes: bytes,
  idleGraceMs: milliseconds,
};

const rest: Types<RestOptions> = {
  ignoreUnknownFields: boolean,
  registry: object,
  patchMask: boolean,
  ignoreUnknownParameters: boolean,
  ignoredParameters: list,
  queryParameterLimit: number,
  queryDepthLimit: number,
  emitDefaults: boolean,
  useProtoNames: boolean,
  enumsAsNumbers: boolean,
  ignoreTrailingSlash: boolean,
  maxElements: number,
  keptEncoded: string,
  withoutRoutes: list,
  errorShape: anything,
  grpcGatewayMetadata: boolean,
  keepAliveMs: milliseconds,
};

const docs: Types<PagesOptions> = {
  guard: callback,
  title: string,
  version: string,
  description: string,
  license: object,
  servers: list,
  securitySchemes: object,
  security: list,
  tags: list,
  operations: list,
  descriptorSet: binary,
};

const cors: Types<CorsOptions> = {
  origins: {
    expected: "an origin, an array of origins, or a function",
    matches: (value) => string.matches(value) || list.matches(value) || callback.matches(value),
  },
  methods: list,
  headers: list,
  exposedHeaders: list,
  credentials: boolean,
  maxAgeSeconds: number,
  privateNetwork: boolean,
};

const tls: Types<TlsOptions> = { cert: pem, key: pem, ca: pem };

const upstream: Types<UpstreamOptions> = {
  url: string,
  tls: object,
  descriptorSet: binary,
  reflection: boolean,
  schemaCache: string,
  services: list,
  readMaxBytes: bytes,
  passUnknownMethods: boolean,
  addresses: list,
  loadBalancing: string,
  maxConnections: number,
  connectTimeoutMs: milliseconds,
  maxPendingCalls: number,
  // Checked when it is read, whose errors say more.
  serviceConfig: anything,
};

const types: Types<ServerOptions> = {
  routes: { expected: "a function (router) => void", matches: callback.matches },
  upstreams: { ...list, items: upstream },
  trustProxy: {
    expected: "a network or an array of networks",
    matches: (value) => string.matches(value) || list.matches(value),
  },
  proxyProtocol: boolean,
  port: number,
  host: string,
  path: string,
  fd: number,
  tls: { ...object, options: tls },
  contextValues: callback,
  readMaxBytes: bytes,
  readMaxElements: number,
  limits: { ...object, options: limits },
  reflection: boolean,
  codeGeneration: boolean,
  fastLane: boolean,
  http2: { expected: '"own" or "node"', matches: (value) => value === "own" || value === "node" },
  // Checked with its rules, whose errors say more.
  httpRules: anything,
  rest: { ...object, options: rest },
  requestPathPrefix: string,
  fallback: callback,
  fallbackMaxBytes: bytes,
  cors: {
    expected: "true, false or an object",
    matches: (value) => boolean.matches(value) || isObject(value),
    options: cors,
  },
  docs: {
    expected: "true, false or an object",
    matches: (value) => boolean.matches(value) || isObject(value),
    options: docs,
  },
  drainDelayMs: milliseconds,
  drainTimeoutMs: milliseconds,
  onCall: {
    expected: "a function, an object with the functions start or end, or an array of these",
    matches: (value) => (Array.isArray(value) ? value : [value]).every(isObserver),
  },
  interceptBuiltIns: boolean,
  logger: {
    expected: "an object with a function error",
    matches: (value) => isObject(value) && "error" in value && callback.matches(value.error),
  },
  onWarning: callback,
  onConnectionError: callback,
  acceptCompression: list,
  binaryOptions: object,
  compressMinBytes: bytes,
  compressResponses: boolean,
  connect: boolean,
  grpc: boolean,
  grpcWeb: boolean,
  interceptors: list,
  jsonOptions: object,
  maxTimeoutMs: milliseconds,
  requireConnectProtocolHeader: boolean,
  shutdownSignal: { expected: "an AbortSignal", matches: (value) => value instanceof AbortSignal },
  writeMaxBytes: bytes,
};

/**
 * Checks the options of `createServer`. Ranges are checked where an option is used.
 *
 * @throws TypeError that names an unknown option, or one of the wrong type
 */
export function checkOptions(options: ServerOptions): void {
  checkAll("createServer: ", options, types);
  if (options.routes === undefined) throw wrongType("createServer: ", "routes", types.routes, undefined);
}

/** Checks the options of `Server.reload` as `checkOptions` does. */
export function checkReloadOptions(options: ReloadOptions): void {
  checkAll("reload: ", options, { upstreams: types.upstreams, httpRules: types.httpRules });
}

function checkAll(caller: string, options: object, types: Types<object>): void {
  if (!isObject(options)) throw new TypeError(`${caller}expected options, found ${describeValue(options)}`);
  checkGroup(caller, "", options, types);
}

function checkGroup(caller: string, prefix: string, options: object, types: Types<object>): void {
  const known = new Map<string, Type>(Object.entries(types));
  for (const [name, value] of Object.entries(options)) {
    const type = known.get(name);
    if (type === undefined) {
      const suggestion = didYouMean(name, [...known.keys()]);
      throw new TypeError(`${caller}unknown option ${quote(prefix + name)}${suggestion}`);
    }
    if (value === undefined) continue;
    if (!type.matches(value)) throw wrongType(caller, prefix + name, type, value);
    if (type.options !== undefined && isObject(value)) checkGroup(caller, `${prefix}${name}.`, value, type.options);
    if (type.items !== undefined && Array.isArray(value)) checkItems(caller, prefix + name, value, type.items);
  }
}

function checkItems(caller: string, name: string, items: readonly unknown[], types: Types<object>): void {
  items.forEach((item, index) => {
    const place = `${name}[${index}]`;
    if (!isObject(item)) throw wrongType(caller, place, object, item);
    checkGroup(caller, `${place}.`, item, types);
  });
}

function wrongType(caller: string, name: string, { expected }: Type, value: unknown): TypeError {
  return new TypeError(`${caller}${name}: expected ${expected}, found ${describeValue(value)}`);
}

function isObserver(value: unknown): boolean {
  if (!isObject(value)) return callback.matches(value);
  const hooks = ["start", "run", "forward", "end"].map((name) => Reflect.get(value, name)).filter(isGiven);
  return hooks.length > 0 && hooks.every(callback.matches);
}

function isGiven(value: unknown): boolean {
  return value !== undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
