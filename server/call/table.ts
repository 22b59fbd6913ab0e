// Turns Connect's `routes` function into a table of methods, by recording what it registers.
import type { DescFile, DescMethod, DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ConnectRouterOptions,
  createMethodImplSpec,
  createServiceImplSpec,
  type MethodImpl,
  type MethodImplSpec,
  type ServiceImpl,
} from "@connectrpc/connect";
import { createMethodUrl, type UniversalHandler, validateUniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { preferTypes } from "../schema/file-types.js";
import { createFileTypes } from "../schema/types.js";
import { checkHandlers } from "./check-handlers.js";
import { guardCompression } from "./compression.js";
import { withBoundaries } from "./error-boundary.js";
import type { Method, MethodOptions, RpcProtocol } from "./method.js";
import { interceptorsFor } from "./method-interceptor.js";

/** Every method of a server, found by request path. */
export interface MethodTable {
  /** Request path → method. */
  readonly methods: ReadonlyMap<string, Method>;
  /** The registered services, each once, in order of registration. They include services without methods. */
  readonly services: readonly DescService[];
  /** What a `routes` function is given. What is registered later is in the table at once. */
  readonly router: Router;
  /** The same without the interceptors of the server. */
  readonly plainRouter: Router;
}

/** Options of one service or method. Those of Connect mean the same as in its routers. */
export interface RouteOptions extends ConnectRouterOptions {
  /** Whether responses are compressed for clients that accept it. Default: that of the server. */
  readonly compressResponses?: boolean | undefined;
}

/** What registers services. It is a router of Connect, whose `service` and `rpc` also take manywire's options. */
export interface Router extends ConnectRouter {
  service<T extends DescService>(service: T, implementation: Partial<ServiceImpl<T>>, options?: RouteOptions): this;
  rpc<M extends DescMethod>(method: M, implementation: MethodImpl<M>, options?: RouteOptions): this;
}

/** Options for every method of a server: Connect's, and ours. */
interface TableOptions extends RouteOptions, Pick<MethodOptions, "readMaxElements" | "codeGeneration"> {}

/**
 * Makes an empty table with options that hold for every method.
 *
 * Options of one service or method add to these: its interceptors run inside the server's, its limits take the place of
 * the server's, and a protocol that is off for the server stays off. A path that is registered twice keeps the last.
 *
 * @param toUniversalHandler makes the `handlers` of the router
 * @throws ConnectError on registration: `invalid_argument` if no protocol is left, `internal`, which is Connect's own, if a
 * limit is out of range.
 */
export function createMethodTable(
  options: TableOptions,
  toUniversalHandler: (method: Method) => UniversalHandler,
): MethodTable {
  const methods = new Map<string, Method>();
  const services = new Set<DescService>();
  const files = new Set<DescFile>();
  const types = createFileTypes(files);

  function record(spec: MethodImplSpec, server: RouteOptions, own: RouteOptions = {}): void {
    const merged = mergeOptions(spec.method, server, own);
    const path = createMethodUrl("/", spec.method);
    const protocols = enabledProtocols(merged);
    if (protocols.size === 0) {
      throw new ConnectError(`${path}: all protocols are switched off`, Code.InvalidArgument);
    }
    const valid = validateUniversalHandlerOptions(merged);
    const { jsonOptions } = merged;
    methods.set(path, {
      ...(spec.kind === "unary" ? { kind: spec.kind, spec } : { kind: spec.kind, spec }),
      path,
      types,
      protocols,
      options: {
        ...valid,
        acceptCompression: valid.acceptCompression.map(guardCompression),
        jsonOptions: { ...jsonOptions, registry: preferTypes(jsonOptions?.registry, types) },
        readMaxElements: options.readMaxElements,
        compressResponses: merged.compressResponses,
        codeGeneration: options.codeGeneration,
      },
      interceptors: withBoundaries(valid.interceptors),
    });
    addService(spec.method.parent);
  }

  function addService(service: DescService): void {
    services.add(service);
    files.add(service.file);
  }

  const createRouter = (server: RouteOptions): Router => ({
    get handlers() {
      return [...methods.values()].map((method) => toUniversalHandler(method));
    },
    service(service, implementation, own) {
      checkHandlers(service, implementation);
      addService(service);
      const { methods } = createServiceImplSpec(service, implementation);
      for (const spec of Object.values(methods)) record(spec, server, own);
      return this;
    },
    rpc(method, implementation, own) {
      record(createMethodImplSpec(method, implementation), server, own);
      return this;
    },
  });
  return {
    methods,
    router: createRouter(options),
    plainRouter: createRouter({ ...options, interceptors: [] }),
    get services() {
      return [...services];
    },
  };
}

function mergeOptions(method: DescMethod, server: RouteOptions, own: RouteOptions): RouteOptions {
  return {
    ...server,
    ...own,
    interceptors: interceptorsFor(method, [...(server.interceptors ?? []), ...(own.interceptors ?? [])]),
    grpc: server.grpc !== false && own.grpc !== false,
    grpcWeb: server.grpcWeb !== false && own.grpcWeb !== false,
    connect: server.connect !== false && own.connect !== false,
  };
}

function enabledProtocols(options: RouteOptions): ReadonlySet<RpcProtocol> {
  const names = new Set<RpcProtocol>();
  if (options.grpc) names.add("grpc");
  if (options.grpcWeb) names.add("grpc-web");
  if (options.connect) names.add("connect");
  return names;
}
