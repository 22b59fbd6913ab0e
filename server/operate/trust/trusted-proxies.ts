// Shows the client of a trusted proxy instead of the proxy.
import { type Exchange, type RequestHead, respond } from "../../http/exchange.js";
import type { Filter } from "../../http/filter.js";
import { WrappedExchange } from "../../http/wrapped-exchange.js";
import type { Networks } from "./networks.js";
import { findOrigin, type Origin } from "./origin.js";

/** Makes the filter. Requests that do not come from a trusted proxy pass as they are. */
export function createTrustedProxies(isTrusted: Networks): Filter {
  return (exchange, next) => {
    const { peer } = exchange;
    if (!isTrusted(peer)) return next(exchange);
    const origin = findOrigin(exchange, isTrusted);
    if (origin !== undefined) return next(new ProxiedExchange(exchange, peer, origin));
    // A client can make the proxy write such a header. It must not look like the proxy then.
    respond(exchange, 400, { "content-type": "text/plain; charset=utf-8" }, "Forwarded: malformed\n");
  };
}

/** A request of a proxy's client. */
class ProxiedExchange extends WrappedExchange {
  readonly #proxy: string;
  readonly #origin: Origin;

  constructor(inner: Exchange, proxy: string, origin: Origin) {
    super(inner);
    this.#proxy = proxy;
    this.#origin = origin;
  }

  override get proxy(): string {
    return this.#proxy;
  }
  override get peer(): string {
    return this.#origin.peer;
  }
  override get scheme(): RequestHead["scheme"] {
    return this.#origin.scheme;
  }
  override get authority(): string {
    return this.#origin.authority;
  }
}
