// What a server tells of itself: its counters at one moment, as plain data, and its methods.
import type { ActiveCalls } from "./call/active.js";
import type { Method, ProtocolName } from "./call/method.js";
import type { Counters, Refusal } from "./counters.js";
import type { OpenConnections, TransferredBytes } from "./listen/connections.js";
import type { Listener } from "./listen/listener.js";
import type { Api } from "./openapi/document.js";
import type { UpstreamStats } from "./upstream/stats.js";
import type { Upstreams } from "./upstream/upstreams.js";

/** What `server.stats()` returns: numbers of this moment, and counters since the server was made. All of it is JSON. */
export interface ServerStats {
  /** Open connections by HTTP version. `opening` are those that have not said theirs yet. */
  readonly connections: OpenConnections;
  /** Connections that were accepted so far. */
  readonly accepted: number;
  /** What was refused or ended early so far, by reason. */
  readonly refused: Readonly<Record<Refusal, number>>;
  /** HTTP/2 streams that clients, and that the server, have reset so far. Not counted with `http2: "node"`. */
  readonly resets: Readonly<Record<"client" | "server", number>>;
  /** Bytes that connections have received and sent so far, with TLS and framing. */
  readonly bytes: TransferredBytes;
  /** Calls that have begun and not ended. */
  readonly activeCalls: number;
  readonly upstreams: readonly UpstreamStats[];
}

/** Returns the numbers of this moment. */
export function readStats(
  listener: Listener,
  { accepted, refused, resets }: Counters,
  active: ActiveCalls,
  upstreams: Upstreams,
): ServerStats {
  return {
    connections: listener.open,
    accepted,
    refused: { ...refused },
    resets: { ...resets },
    bytes: listener.bytes,
    activeCalls: active.size,
    upstreams: upstreams.all.map(({ stats }) => stats),
  };
}

/** A method that is served. */
export interface ServedMethod {
  readonly method: Method;
  /** The protocols that may call it: `rest` is one of them if it has routes. */
  readonly protocols: ReadonlySet<ProtocolName>;
}

/** Returns all methods of an API. */
export function listMethods({ methods, bindings }: Api): ServedMethod[] {
  const routed = new Set(bindings.map(({ method }) => method));
  return [...methods.values()].map((method) => {
    const hasRoutes = routed.has(method.spec.method);
    return { method, protocols: new Set<ProtocolName>([...method.protocols, ...(hasRoutes ? ["rest" as const] : [])]) };
  });
}
