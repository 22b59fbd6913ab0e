// The two ways in which a call can be served: the fast lane and the reference lane. A caller cannot tell them apart.
import type { Exchange } from "../http/exchange.js";
import type { Format } from "./format.js";

/**
 * Serves one call of one method. Protocol, codec and shape have been settled and suit the method.
 *
 * @param query the query parameters of a Connect GET; undefined for a POST
 */
export type Lane = (format: Format, exchange: Exchange, query: URLSearchParams | undefined) => void;
