// Calls over every protocol that a server has, by Node's HTTP clients, and what came of them.
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { envelope } from "../support/envelopes.js";
import type { RawAnswer, RawRequest } from "../support/http.js";
import { attempt } from "./attempt.js";
import { codeOf } from "./codes.js";

/** Methods of the test service. Their requests are empty. */
type Method = "Unary" | "Get" | "ServerStream" | "ClientStream";

/** Makes the request of a call, without its deadline. `path` is that of the RPC. */
type Front = (method: Method, path: string) => RawRequest;

function inEnvelopes(httpVersion: "1.1" | "2", contentType: string, message: string): Front {
  const headers = { "content-type": contentType };
  return (_method, path) => ({ httpVersion, path, headers, body: envelope(message) });
}

function connect(codec: "proto" | "json", message: string): Front {
  const stream = inEnvelopes("1.1", `application/connect+${codec}`, message);
  const headers = { "content-type": `application/${codec}` };
  return (method, path) => (method === "ServerStream" ? stream(method, path) : { path, headers, body: message });
}

function rest(): Front {
  const headers = { "content-type": "application/json" };
  return (_method, path) => ({ path: restPath(path), headers, body: "{}" });
}

export const grpc: Front = inEnvelopes("2", "application/grpc", "");

/** Protocol → how its calls are made. */
export const fronts: Readonly<Record<string, Front>> = {
  gRPC: grpc,
  "gRPC with JSON": inEnvelopes("2", "application/grpc+json", "{}"),
  "gRPC-Web": inEnvelopes("1.1", "application/grpc-web", ""),
  Connect: connect("proto", ""),
  "Connect with JSON": connect("json", "{}"),
  REST: rest(),
};

/** The path of a route, by that of its RPC. */
export function restPath(path: string): string {
  return `/rest${path}`;
}

/** The rules of google.api.http for the methods of a service. */
export function restRules(service: string, methods: readonly Method[]) {
  return methods.map((method) => ({
    selector: `${service}.${method}`,
    post: restPath(`/${service}/${method}`),
    body: "*",
  }));
}

export interface FrontCall {
  /** Full name. */
  readonly service: string;
  readonly method: Method;
  readonly deadlineMs: number;
}

/** What came of a call: its code, 0 for success, or in words if its response has none. */
export type Outcome = number | string;

export function outcomeOf(answer: RawAnswer): Outcome {
  const code = codeOf(answer);
  if (code !== "none") return codeFromString(code) ?? Number(code);
  return answer.status === 200 ? 0 : `HTTP ${answer.status}`;
}

/** Makes one call. Without a complete response its outcome is "cut", without any it is "nothing". */
export async function callFront(
  url: string,
  front: Front,
  { service, method, deadlineMs }: FrontCall,
): Promise<Outcome> {
  const { headers, ...request } = front(method, `/${service}/${method}`);
  const deadline = {
    "grpc-timeout": `${deadlineMs}m`,
    "connect-timeout-ms": deadlineMs,
    "x-server-timeout": deadlineMs / 1000,
  };
  const attempted = await attempt(url, { ...request, headers: { ...headers, ...deadline } });
  return attempted.kind === "answered" ? outcomeOf(attempted.answer) : attempted.kind;
}
