// Checks the header that marks Connect requests, for servers that require it.
// https://connectrpc.com/docs/protocol#unary-request "Connect-Protocol-Version"
import type { IncomingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { protocolVersion } from "@connectrpc/connect/protocol-connect";
import type { MethodOptions } from "../call/method.js";
import { header } from "../http/header.js";
import { shorten } from "../quote.js";

type Place = "header" | "query";

const places: Record<Place, { name: string; kind: string; value: string }> = {
  header: { name: "Connect-Protocol-Version", kind: "header", value: protocolVersion },
  query: { name: "connect", kind: "parameter", value: `v${protocolVersion}` },
};

/** Returns the error of a POST with a missing or unknown version; undefined if the server does not require one. */
export function checkVersionHeader(headers: IncomingHttpHeaders, options: MethodOptions): ConnectError | undefined {
  return options.requireConnectProtocolHeader
    ? check("header", header(headers, "connect-protocol-version"))
    : undefined;
}

/** The same of a GET, which has its version in the query. */
export function checkVersionParameter(query: URLSearchParams, options: MethodOptions): ConnectError | undefined {
  return options.requireConnectProtocolHeader ? check("query", query.get("connect") ?? undefined) : undefined;
}

function check(place: Place, found: string | undefined): ConnectError | undefined {
  const { name, kind, value } = places[place];
  if (found === value) return undefined;
  const message =
    found === undefined
      ? `missing required ${kind}: set ${name} to "${value}"`
      : `${name} must be "${value}": got "${shorten(found)}"`;
  return new ConnectError(message, Code.InvalidArgument);
}
