// Serves under a path prefix.
import type { Exchange, Handler } from "../http/exchange.js";
import { WrappedExchange } from "../http/wrapped-exchange.js";

/** A request whose path begins behind the prefix. */
class PrefixedExchange extends WrappedExchange {
  readonly outer: Exchange;
  readonly #path: string;

  constructor(outer: Exchange, path: string) {
    super(outer);
    this.outer = outer;
    this.#path = path;
  }

  override get path(): string {
    return this.#path;
  }
}

/**
 * Makes a handler that gives requests under a prefix, without it, to one handler, and others to another.
 *
 * @throws RangeError if the prefix is not a path
 */
export function servePrefix(prefix: string, inside: Handler, outside: Handler): Handler {
  if (!/^(?:\/[^/?#\s]+)+$/.test(prefix)) {
    throw new RangeError(`requestPathPrefix: expected a path such as /api, found ${JSON.stringify(prefix)}`);
  }
  return (exchange) => {
    const { path } = exchange;
    if (!path.startsWith(prefix)) return outside(exchange);
    const rest = path.slice(prefix.length);
    return rest === "" || rest.startsWith("/")
      ? inside(new PrefixedExchange(exchange, rest === "" ? "/" : rest))
      : outside(exchange);
  };
}

/** Returns the exchange with the whole path. */
export function withoutPrefix(exchange: Exchange): Exchange {
  return exchange instanceof PrefixedExchange ? exchange.outer : exchange;
}
