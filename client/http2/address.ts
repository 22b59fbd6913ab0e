// Where a connection goes to: a port of a host, or a Unix socket.
import type { Endpoint } from "../base-url.js";

/** `host` is a name or an IP address, without brackets. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** The address of a base URL. */
export function addressOf({ url, isTls, socketPath }: Endpoint): Address {
  if (socketPath !== undefined) return { kind: "unix", path: socketPath };
  const { hostname, port } = new URL(url);
  return { kind: "tcp", host: withoutBrackets(hostname), port: Number(port || (isTls ? 443 : 80)) };
}

/** Reads `host`, `host:port`, `[::1]:port` or `unix:/path`. Returns undefined if it is none of them. */
export function parseAddress(text: string, defaultPort: number): Address | undefined {
  const path = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const [, host, digits] = /^(\[[^\]]+\]|[^:[\]/?#@\s]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined || !URL.canParse(`http://${host}`)) return undefined;
  const port = digits === undefined ? defaultPort : Number(digits);
  return port > 0 && port < 65_536 ? { kind: "tcp", host: withoutBrackets(host), port } : undefined;
}

/** The same text for the same address. */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = address;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
