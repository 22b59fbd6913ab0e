// Filters: what happens to every request before it is routed, and to its response.
import type { Exchange, Handler } from "./exchange.js";

/**
 * Gets every request before it is routed, malformed ones included. Sends the response itself, or calls `next` once: with the
 * exchange, or with one that wraps it. Everything that is sent later goes through that wrapper, refusals and errors included.
 */
export type Filter = (exchange: Exchange, next: Handler) => void | Promise<void>;

/** Puts filters before a handler. The first filter gets the request first. */
export function applyFilters(filters: readonly Filter[], handler: Handler): Handler {
  return filters.reduceRight<Handler>((next, filter) => (exchange) => filter(exchange, next), handler);
}
