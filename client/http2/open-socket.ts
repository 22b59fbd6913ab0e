// Opens the socket of an HTTP/2 connection.
import { connect, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type SecureContextOptions } from "node:tls";
import type { Endpoint } from "../base-url.js";

/** What Node's `tls` takes, as far as it is the caller's to say. */
export type ClientTlsOptions = SecureContextOptions &
  Pick<ConnectionOptions, "servername" | "rejectUnauthorized" | "checkServerIdentity">;

/** Opens a socket as `http2.connect` would. */
export function openSocket({ url, isTls, socketPath }: Endpoint, tls: ClientTlsOptions): Socket {
  if (socketPath !== undefined) return connect(socketPath);
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (!isTls) return connect({ host, port: Number(port || 80) });
  const servername = isIP(host) === 0 ? host : "";
  return connectTls({ servername, ...tls, host, port: Number(port || 443), ALPNProtocols: ["h2"] });
}
