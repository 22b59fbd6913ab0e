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
  readonly protocol: ProtocolName;
  readonly isServer: boolean;
  readonly spanName: string;
  readonly attributes: Attributes;
  /** Those that only spans have, because a client chooses the value. */
  readonly spanAttributes: Attributes;
}

type Names = Partial<Record<ProtocolName, MethodNames>>;

const ofServer = new WeakMap<Method, Names>();
const ofClient = new WeakMap<Method, Names>();

/** Names of a call's own span. A method that no schema has is `_OTHER`: clients choose its name. */
export function serverNames(method: Method, protocol: ProtocolName): MethodNames {
  return namesIn(ofServer, method, protocol, true);
}

/** Names of the span of a forwarded call: whatever the caller speaks, upstreams are called over gRPC. */
export function clientNames(method: Method): MethodNames {
  return namesIn(ofClient, method, "grpc", false);
}

function namesIn(
  known: WeakMap<Method, Names>,
  method: Method,
  protocol: ProtocolName,
  isServer: boolean,
): MethodNames {
  const byProtocol = known.get(method) ?? {};
  known.set(method, byProtocol);
  byProtocol[protocol] ??= makeNames(method, protocol, isServer);
  return byProtocol[protocol];
}

function makeNames({ path, spec }: Method, protocol: ProtocolName, isServer: boolean): MethodNames {
  const system = systemNames[protocol];
  const name = path.slice(1);
  const isKnown = name === `${spec.method.parent.typeName}/${spec.method.name}`;
  const attributes = { "rpc.system.name": system, "rpc.method": isKnown ? name : "_OTHER" };
  const spanAttributes = isKnown ? attributes : { ...attributes, "rpc.method_original": name };
  return { protocol, isServer, spanName: isKnown ? name : system, attributes, spanAttributes };
}

/** What is known at the end of a call. */
export interface Outcome {
  readonly attributes: Attributes;
  /** The attributes of measurements: those of the method, too. */
  readonly measured: Attributes;
  readonly isError: boolean;
}

const outcomes = new WeakMap<MethodNames, Map<Code | undefined, Outcome>>();

/** Made once for each code, because most of the cost is in new objects. */
export function outcomeOf(names: MethodNames, error: ConnectError | undefined): Outcome {
  const byCode = outcomes.get(names) ?? new Map<Code | undefined, Outcome>();
  outcomes.set(names, byCode);
  const outcome = byCode.get(error?.code) ?? makeOutcome(names, error?.code);
  byCode.set(error?.code, outcome);
  return outcome;
}

function makeOutcome({ protocol, isServer, attributes: method }: MethodNames, code: Code | undefined): Outcome {
  const status = code === undefined ? "OK" : codeName(protocol, code);
  // Most codes of a server speak of its client.
  const isError = code !== undefined && (!isServer || serverFaults.has(code));
  const attributes = { "rpc.response.status_code": status, ...(isError && { "error.type": status }) };
  return { attributes, measured: { ...method, ...attributes }, isError };
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
