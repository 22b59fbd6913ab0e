// Passes HTTP/1.1 and HTTP/2 requests to one handler and rejects malformed ones.
import type { Counters } from "../counters.js";
import { type Exchange, type Handler, noSniff, respond } from "../http/exchange.js";
import { applyFilters, type Filter } from "../http/filter.js";
import type { Report } from "./report.js";
import type { HeadFault, OnRequest } from "./well-formed.js";

/** Makes the function that passes well-formed requests to a handler, and rejects the others. Filters get both. */
export function passRequestsTo(
  handler: Handler,
  filters: readonly Filter[],
  report: Report,
  counters: Counters,
): OnRequest {
  // An error of the handler is sent through the exchange of the filters; an error of a filter through the original one.
  const filtered = (inner: Handler) => {
    const safe = catchErrors(inner, report);
    return filters.length === 0 ? safe : catchErrors(applyFilters(filters, safe), report);
  };
  const serve = filtered((exchange) => {
    // `OPTIONS *` (RFC 9110 section 9.3.7).
    if (exchange.path === "*") exchange.sendHeadOnly(204, noSniff);
    else return handler(exchange);
  });
  return (exchange, fault) => {
    if (fault === undefined) {
      serve(exchange);
      return;
    }
    counters.refuse("malformed_request");
    filtered((inner) => refuse(inner, fault))(exchange);
  };
}

function refuse(exchange: Exchange, { status, text }: HeadFault): void {
  respond(exchange, status, { "content-type": "text/plain; charset=utf-8" }, `${text}\n`);
}

/** Makes a handler that reports errors and replies 500. */
function catchErrors(handler: Handler, report: Report): (exchange: Exchange) => void {
  return (exchange) => {
    const onError = (error: unknown) => {
      report(error as Error, "handler");
      fail(exchange);
    };
    try {
      handler(exchange)?.catch(onError);
    } catch (error) {
      onError(error);
    }
  };
}

/** After a handler has thrown: replies 500, or aborts the response if its head was already sent. */
function fail(exchange: Exchange): void {
  if (exchange.isClosed) return;
  if (exchange.isHeadSent) exchange.cut();
  else respond(exchange, 500, {});
}
