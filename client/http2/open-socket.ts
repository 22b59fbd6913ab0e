// Opens the socket of an HTTP/2 connection.
import { connect, isIP, type Socket } from "node:net";
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  type PeerCertificate,
  type SecureContextOptions,
} from "node:tls";
import type { Endpoint } from "../base-url.js";
import { type Address, addressOf } from "./address.js";

/** What Node's `tls` takes, as far as it is the caller's to say. */
export type ClientTlsOptions = SecureContextOptions &
  Pick<ConnectionOptions, "servername" | "rejectUnauthorized" | "checkServerIdentity">;

/**
 * Opens a socket as `http2.connect` would.
 *
 * @param address where to connect to, if not to the host of the endpoint, which stays the one whose certificate is expected
 */
export function openSocket(endpoint: Endpoint, tls: ClientTlsOptions, address: Address = addressOf(endpoint)): Socket {
  const target = address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
  if (!endpoint.isTls) return connect(target);
  const named = addressOf(endpoint);
  if (named.kind === "unix" || isIP(named.host) === 0) {
    const servername = named.kind === "unix" ? "" : named.host;
    return connectTls({ servername, ...tls, ...target, ALPNProtocols: ["h2"] });
  }
  // An IP address is no server name (RFC 6066 §3), so Node would verify the certificate for the one that it connects to.
  const verify = (_host: string, certificate: PeerCertificate) =>
    checkServerIdentity(tls.servername ?? named.host, certificate);
  return connectTls({ servername: "", checkServerIdentity: verify, ...tls, ...target, ALPNProtocols: ["h2"] });
}
