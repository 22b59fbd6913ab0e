// Names and values of OpenTelemetry's semantic conventions for RPC:
// https://github.com/open-telemetry/semantic-conventions/blob/v1.45.0/docs/rpc/README.md

import { Code, type ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { Attributes } from "@opentelemetry/api";
import type { Method, ProtocolName } from "../../call/method.js";

/** The attribute `rpc.system.name`. REST has no name of its own in the conventions. */
const systemNames: Record<ProtocolName, string> = {
  grpc: "grpc",
  "grpc-web": "grpc",
  connect: "connectrpc",
  rest: "rest",
};

/** Codes that speak of the server. With others a SERVER span has no error. */
const serverFaults: ReadonlySet<Code> = new Set([
  ...[Code.Unknown, Code.DeadlineExceeded, Code.Unimplemented, Code.Internal, Code.Unavailable, Code.DataLoss],
]);

/** How spans and metrics name a method. */
export interface MethodNames {
  readonly spanName: string;
  readonly attributes: Attributes;
  /** Those that only spans have, because a client chooses the value. */
  readonly spanAttributes: Attributes;
}

const known = new WeakMap<Method, Map<ProtocolName, MethodNames>>();

/** A method that no schema has is `_OTHER`: clients choose its name. */
export function namesOf(method: Method, protocol: ProtocolName): MethodNames {
  const byProtocol = known.get(method) ?? new Map<ProtocolName, MethodNames>();
  known.set(method, byProtocol);
  const names = byProtocol.get(protocol) ?? makeNames(method, protocol);
  byProtocol.set(protocol, names);
  return names;
}

function makeNames({ path, spec }: Method, protocol: ProtocolName): MethodNames {
  const system = systemNames[protocol];
  const name = path.slice(1);
  const isKnown = name === `${spec.method.parent.typeName}/${spec.method.name}`;
  const attributes = { "rpc.system.name": system, "rpc.method": isKnown ? name : "_OTHER" };
  if (isKnown) return { spanName: name, attributes, spanAttributes: attributes };
  return { spanName: system, attributes, spanAttributes: { ...attributes, "rpc.method_original": name } };
}

/** What is known at the end of a call. */
export interface Outcome {
  readonly attributes: Attributes;
  readonly isError: boolean;
}

/** @param isServer whether the span is one of a server, where most codes speak of the client */
export function outcomeOf(protocol: ProtocolName, error: ConnectError | undefined, isServer: boolean): Outcome {
  if (error === undefined) return { attributes: { "rpc.response.status_code": "OK" }, isError: false };
  const name = codeName(protocol, error.code);
  const isError = !isServer || serverFaults.has(error.code);
  return { attributes: { "rpc.response.status_code": name, ...(isError && { "error.type": name }) }, isError };
}

/** As the protocol writes it: `not_found` in Connect, and `NOT_FOUND` in the others. */
function codeName(protocol: ProtocolName, code: Code): string {
  if (protocol === "connect") return codeToString(code);
  return code === Code.Canceled ? "CANCELLED" : codeToString(code).toUpperCase();
}

const ports = { http: 80, https: 443 };

/** @param authority `host`, `host:port`, `address` or `[address]:port`; IPv6 in brackets */
export function serverAttributes(scheme: "http" | "https", authority: string): Attributes {
  const [, host = authority, port] = /^(?:\[(?=[^\]]*\]))?([^[\]]*?)\]?(?::(\d+))?$/.exec(authority) ?? [];
  return { "server.address": host, "server.port": port === undefined ? ports[scheme] : Number(port) };
}
