// Certificates of a listener, and what they mean to Node's TLS server.
import type { TlsOptions as NodeTlsOptions } from "node:tls";
import { createSecureContext } from "node:tls";

/** All in PEM. */
export interface TlsOptions {
  /** The server's certificate, followed by its intermediates. */
  cert: string | Buffer;
  key: string | Buffer;
  /** Authorities of client certificates. With it every client has to show a certificate (mutual TLS). */
  ca?: string | Buffer;
}

/** @throws Error if a PEM cannot be read, or if key and certificate do not belong together. */
export function checkTls({ cert, key, ca }: TlsOptions): void {
  createSecureContext({ cert, key, ca });
}

export function toSecureServerOptions({ cert, key, ca }: TlsOptions, handshakeTimeout: number): NodeTlsOptions {
  const requestCert = ca !== undefined;
  return {
    cert,
    key,
    ca,
    requestCert,
    rejectUnauthorized: requestCert,
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout,
  };
}
