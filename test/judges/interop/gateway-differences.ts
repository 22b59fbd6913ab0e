// Where our REST responses differ from those of grpc-gateway in front of us, and why: each with requests, and the status that
// each of the two returns.
import type { RawRequest } from "../../support/http.js";

interface Difference {
  readonly name: string;
  readonly reason: string;
  readonly requests: readonly (RawRequest & { readonly gateway: number; readonly ours: number })[];
}

/** Where its body goes to. */
export const echo = "/v1/example/echo";

/** A POST of JSON. */
export function post(body: string | Uint8Array, path: string = echo): RawRequest {
  return { method: "POST", path, body, headers: { "content-type": "application/json" } };
}

export function get(path: string, method = "GET"): RawRequest {
  return { method, path };
}

function postAs(type: string | undefined, body = '{"name":"you"}'): RawRequest {
  return { method: "POST", path: echo, body, headers: type === undefined ? {} : { "content-type": type } };
}

/** The same request, and what each responds. */
const answered = (gateway: number, ours: number) => (request: RawRequest) => ({ ...request, gateway, ours });

export const differences: readonly Difference[] = [
  {
    name: "a method that a path does not have",
    reason: "405 with Allow is what RFC 9110 section 15.5.6 asks for; the gateway maps UNIMPLEMENTED to 501",
    requests: [get(echo), get(echo, "DELETE"), { ...post("{}"), method: "PUT" }, post("{}", `${echo}/you`)].map(
      answered(501, 405),
    ),
  },
  {
    name: "HEAD and OPTIONS",
    reason: "RFC 9110 sections 9.1 and 9.3.7: HEAD goes wherever GET does, and OPTIONS tells the methods",
    requests: [
      answered(501, 200)(get(`${echo}/you`, "HEAD")),
      answered(501, 204)(get(`${echo}/you`, "OPTIONS")),
      answered(501, 204)(get(echo, "OPTIONS")),
    ],
  },
  {
    name: "a content type that is not JSON",
    reason: "a page of another origin may send such a body without being asked; the gateway reads any type as JSON",
    requests: [
      ...[undefined, "text/plain", "application/json; charset=latin1"].map((type) => answered(200, 415)(postAs(type))),
      answered(400, 415)(postAs("application/x-www-form-urlencoded", "name=you")),
    ],
  },
  {
    name: "a compressed body",
    reason: "Content-Encoding is heeded; the gateway does not look at it",
    requests: [
      answered(200, 415)({ ...post('{"name":"you"}'), headers: { ...post("").headers, "content-encoding": "x" } }),
    ],
  },
  {
    name: "a query that sets nothing",
    reason: "a parameter that is misspelt, or that the path or the body sets, is told; the gateway drops it",
    requests: [
      post('{"name":"you"}', `${echo}?name=other`),
      post('{"name":"you"}', `${echo}?more=1`),
      get(`${echo}/you?name=other`),
      get(`${echo}/you?more=1`),
    ].map(answered(200, 400)),
  },
  {
    name: "what follows the JSON",
    reason: "RFC 8259 section 2: a JSON text is one value; the gateway reads the first one",
    requests: [post('{"name":"you"}{"name":"me"}'), post('{"name":"you"} x')].map(answered(200, 400)),
  },
  {
    name: "a body of spaces",
    reason: "no body is the empty message, and spaces are no JSON; the gateway takes both for the first",
    requests: [answered(200, 400)(post(" "))],
  },
  {
    name: "a byte order mark",
    reason: "RFC 8259 section 8.1 lets a reader ignore it",
    requests: [answered(400, 200)(post('\ufeff{"name":"you"}'))],
  },
  {
    name: "a slash that is encoded",
    reason: "RFC 3986 section 2.2: %2F is data and separates nothing",
    requests: [answered(404, 200)(get(`${echo}/a%2Fb`)), answered(200, 404)(get(`${echo}%2Fyou`))],
  },
  {
    name: "an empty segment",
    reason: "a variable stands for one segment, and an empty one would be a name that no message has",
    requests: [answered(200, 404)(get(`${echo}/`)), answered(501, 404)(post('{"name":"you"}', `${echo}/`))],
  },
  {
    name: "NUL and bytes that are not UTF-8, in a path",
    reason: "no string of protobuf can be the second, and the first is never meant",
    requests: [answered(200, 400)(get(`${echo}/%00`)), answered(500, 400)(get(`${echo}/%ff`))],
  },
  {
    name: "a body over the limit",
    reason: "413 names the body as the reason; the gateway maps RESOURCE_EXHAUSTED to 429",
    requests: [answered(429, 413)(post(JSON.stringify({ name: "a".repeat(4 * 1024 * 1024) })))],
  },
  {
    name: "a deadline of nothing",
    reason: "it has passed; the gateway takes it for none",
    requests: [answered(200, 504)({ ...post("{}"), headers: { ...post("").headers, "grpc-timeout": "0S" } })],
  },
  {
    name: "the other protocols",
    reason: "they are on the same port here; a path of two segments that is not served is refused as Connect does",
    requests: [
      answered(404, 200)(post('{"name":"you"}', "/hello_world.Greeter/SayHello")),
      answered(404, 404)(post("{}", "/v1/example")),
    ],
  },
];
