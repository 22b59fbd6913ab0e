// Options of CORS, and their check (https://fetch.spec.whatwg.org/#http-cors-protocol).
import type { RequestInfo } from "../../http/exchange.js";
import { checkWholeNumber } from "../../whole-number.js";
import { originForms, parseOrigin } from "./origins.js";

/** Whether pages of an origin may call. `request` is the head of their request, or of its preflight. */
type OriginTest = (origin: string, request: RequestInfo) => boolean;

/** Options of CORS: which pages of other origins may call. */
export interface CorsOptions {
  /**
   * Origins whose pages may call: `https://app.example.com`; `https://*.example.com`, in which `*` stands for one label; `*`
   * for all; several of these; or a function.
   */
  readonly origins: string | readonly string[] | OriginTest;
  /** Methods that they may use, in capitals. Default: any. */
  readonly methods?: readonly string[] | undefined;
  /** Request headers that they may send besides those of the protocols. Default: any. */
  readonly headers?: readonly string[] | undefined;
  /** Response headers that they may read besides those of gRPC's status and those that the response has. Default: none. */
  readonly exposedHeaders?: readonly string[] | undefined;
  /** Whether browsers may send cookies, HTTP authentication and client certificates. Needs `origins` other than `*`. Default false. */
  readonly credentials?: boolean | undefined;
  /** How long a browser may keep the response to a preflight, in seconds. Default 7200, which is Chromium's maximum. */
  readonly maxAgeSeconds?: number | undefined;
  /** Whether pages of public networks may call a server in a private one. Default false. */
  readonly privateNetwork?: boolean | undefined;
}

/** @throws RangeError that names the option */
export function checkCors({
  origins,
  methods,
  headers,
  exposedHeaders,
  credentials,
  maxAgeSeconds,
}: CorsOptions): void {
  if (typeof origins !== "function") {
    const list = [origins].flat();
    if (list.length === 0) throw new RangeError("cors.origins: expected at least one origin, found none");
    for (const origin of list) {
      if (parseOrigin(origin) === undefined) throw wrong("origins", originForms, origin);
    }
    if (credentials === true && list.includes("*")) {
      throw new RangeError('cors.credentials: expected a list of origins to go with it, found origins "*"');
    }
  }
  checkEach("methods", methods, /^[A-Z][A-Z\d-]*$/, "methods in capitals");
  checkEach("headers", headers, headerName, "names of headers");
  checkEach("exposedHeaders", exposedHeaders, headerName, "names of headers");
  if (maxAgeSeconds !== undefined) checkWholeNumber("cors.maxAgeSeconds", maxAgeSeconds, 0);
}

/** A token (RFC 9110 section 5.6.2). `*` is one, but not for browsers that send credentials. */
const headerName = /^(?!\*$)[\w!#$%&'*+.^`|~-]+$/;

function checkEach(name: string, values: readonly string[] = [], pattern: RegExp, expected: string): void {
  for (const value of values) {
    if (typeof value !== "string" || !pattern.test(value)) throw wrong(name, expected, value);
  }
}

function wrong(name: string, expected: string, found: unknown): RangeError {
  return new RangeError(`cors.${name}: expected ${expected}, found ${JSON.stringify(found)}`);
}
