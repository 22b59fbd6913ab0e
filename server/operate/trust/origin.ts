// Finds out by the headers of trusted proxies who their client is, and what it has called.
import type { IncomingHttpHeaders } from "node:http";
import { isAuthority } from "../../http/authority.js";
import type { RequestHead } from "../../http/exchange.js";
import { header } from "../../http/header.js";
import { parseAddress } from "./address.js";
import { type ForwardedElement, parseForwarded } from "./forwarded.js";
import type { Networks } from "./networks.js";

/** The client of a request, and what it has called. */
export type Origin = Pick<RequestHead, "peer" | "scheme" | "authority">;

/** What proxies say of the client; undefined where they say nothing that can be read. */
interface Claims {
  readonly peer: string;
  readonly proto: string | undefined;
  readonly host: string | undefined;
  readonly port?: string | undefined;
}

/**
 * Returns the origin of a request that a trusted proxy has sent, or undefined if `Forwarded` is malformed.
 *
 * `X-Forwarded-For` counts before `Forwarded`: most proxies write it, and pass on the `Forwarded` that a client has made up.
 */
export function findOrigin(head: Origin & Pick<RequestHead, "headers">, isTrusted: Networks): Origin | undefined {
  const { peer, scheme, authority, headers } = head;
  const { forwarded } = headers;
  const isForwarded = forwarded !== undefined && headers["x-forwarded-for"] === undefined;
  const claims = isForwarded ? readForwarded(forwarded, peer, isTrusted) : readXForwarded(headers, peer, isTrusted);
  return (
    claims && {
      peer: claims.peer,
      scheme: toScheme(claims.proto) ?? scheme,
      authority: toAuthority(claims.host, claims.port) ?? authority,
    }
  );
}

/** The proxies of a request, as far as they are trusted. */
interface Chain {
  /** Address of the client: the first that is no trusted proxy's. */
  readonly peer: string;
  /** Number of trusted proxies between the client and this server. */
  readonly length: number;
}

/**
 * Goes from this server towards the client, as long as each address is that of a trusted proxy. It ends at an address that
 * cannot be read: all before it can be the client's own invention.
 *
 * @param entries the client of each proxy, that of the nearest proxy last
 */
function followChain(entries: readonly (string | undefined)[], proxy: string, isTrusted: Networks): Chain {
  let peer = proxy;
  let length = 1;
  for (let index = entries.length - 1; index >= 0; index--) {
    const address = parseAddress(entries[index] ?? "");
    if (address === undefined) break;
    peer = address;
    if (!isTrusted(peer)) break;
    length++;
  }
  return { peer, length };
}

function readXForwarded(headers: IncomingHttpHeaders, proxy: string, isTrusted: Networks): Claims {
  const { peer, length } = followChain(listOf(header(headers, "x-forwarded-for")), proxy, isTrusted);
  const farthest = (name: string) => {
    const list = listOf(header(headers, name));
    return list[Math.max(0, list.length - length)];
  };
  return {
    peer,
    proto: farthest("x-forwarded-proto"),
    host: farthest("x-forwarded-host"),
    port: farthest("x-forwarded-port"),
  };
}

function listOf(value: string | undefined): string[] {
  if (value === undefined) return [];
  // Most proxies are alone, and write one entry.
  if (!value.includes(",")) return value.trim() === "" ? [] : [value.trim()];
  return value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function readForwarded(value: string, proxy: string, isTrusted: Networks): Claims | undefined {
  const elements = parseForwarded(value);
  if (elements === undefined) return undefined;
  const { peer, length } = followChain(
    elements.map((element) => element.for),
    proxy,
    isTrusted,
  );
  const ofTrusted = elements.slice(-length);
  // The proxy that is nearest to the client knows best.
  const farthest = (name: keyof ForwardedElement) => ofTrusted.find((element) => element[name] !== undefined)?.[name];
  return { peer, proto: farthest("proto"), host: farthest("host") };
}

function toScheme(proto: string | undefined): RequestHead["scheme"] | undefined {
  const name = proto?.toLowerCase();
  return name === "https" || name === "http" ? name : undefined;
}

/** Ports that a URL does not show. They stand in headers also where the scheme is the other one. */
const defaultPorts: ReadonlySet<string> = new Set(["80", "443"]);

function toAuthority(host: string | undefined, port: string | undefined): string | undefined {
  if (host === undefined || !isAuthority(host)) return undefined;
  const hasPort = /:\d*$/.test(host.replace(/^\[.*\]/, ""));
  const withPort = `${host}:${port}`;
  const isPortNeeded = !hasPort && port !== undefined && !defaultPorts.has(port);
  return isPortNeeded && isAuthority(withPort) ? withPort : host;
}
