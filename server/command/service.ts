// A service with the settings of the command: the options of `createServer` that come from both.
import type { ServerOptions } from "../options.js";
import type { UpstreamOptions } from "../upstream/options.js";
import type { Config } from "./config.js";

/** What the command serves. */
export interface Service {
  /** Options of `createServer` as the module, or the caller of `runServer`, has them. */
  readonly options: ServerOptions;
  /** Path of the module, for errors; undefined if there is none. */
  readonly module: string | undefined;
  /** How the TypeScript client of the service is started; undefined if there is none. */
  readonly client: string | undefined;
  /** Reads settings and upstreams again; undefined if no file has any. */
  readonly read?: (() => Promise<Sources>) | undefined;
}

/** What a reload replaces, as it is in its files. */
export interface Sources {
  readonly config: Config;
  readonly upstreams: readonly UpstreamOptions[];
}

/** Options that the settings add. Files have been read. Interceptors are outside those of the service. */
export type Files = Pick<ServerOptions, "tls" | "httpRules" | "interceptors">;

/** The options of a service, replaced by those of the flags and of the environment where they are set. */
export function mergeOptions(
  service: ServerOptions,
  { options }: Config,
  { tls, httpRules, interceptors = [] }: Files,
): ServerOptions {
  const { path, ...others } = service;
  const isElsewhere = options.host !== undefined || options.port !== undefined;
  return {
    ...others,
    ...(path !== undefined && !isElsewhere && { path }),
    ...options,
    limits: { ...service.limits, ...options.limits },
    rest: { ...service.rest, ...options.rest },
    cors: mergeCors(service.cors, options.cors),
    docs: mergeDocs(service.docs, options.docs),
    tls: tls ?? service.tls,
    httpRules: httpRules ?? service.httpRules,
    interceptors: [...interceptors, ...(service.interceptors ?? [])],
  };
}

/** The flag gives the origins; what else is allowed to them is up to the service. */
function mergeCors(own: ServerOptions["cors"], flag: ServerOptions["cors"]): ServerOptions["cors"] {
  return typeof own === "object" && typeof flag === "object" ? { ...own, ...flag } : (flag ?? own);
}

/** A flag turns the documents on or off, or changes some of their options; the others are up to the service. */
export function mergeDocs(own: ServerOptions["docs"], flag: ServerOptions["docs"]): ServerOptions["docs"] {
  if (flag === undefined || own === false) return flag === true ? flag : own;
  if (typeof flag === "object" && typeof own === "object") return { ...own, ...flag };
  return flag === true ? (own ?? flag) : flag;
}
