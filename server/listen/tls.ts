// Certificates of a listener, and what they mean to Node's TLS server.
import { constants, X509Certificate } from "node:crypto";
import type { TlsOptions as NodeTlsOptions, SecureContextOptions, TLSSocket } from "node:tls";
import { createSecureContext } from "node:tls";

/** All in PEM. */
export interface TlsOptions {
  /** The server's certificate, followed by its intermediates. */
  cert: string | Buffer;
  /** The private key of the certificate. */
  key: string | Buffer;
  /** Authorities of client certificates. With it every client has to show a certificate (mutual TLS). */
  ca?: string | Buffer | undefined;
}

/** @throws Error if a PEM cannot be read, or if key and certificate do not belong together. */
export function checkTls({ cert, key, ca }: TlsOptions): void {
  for (const [name, pem] of Object.entries({ cert, key, ca })) {
    // Node takes nothing for "not given", which for authorities means those that browsers trust.
    if (pem !== undefined && pem.length === 0) throw new Error(`tls.${name}: expected PEM, found nothing`);
  }
  createSecureContext({ cert, key });
  // Node skips authorities that it cannot read.
  if (ca !== undefined) readCertificate(ca);
}

function readCertificate(ca: string | Buffer): void {
  try {
    new X509Certificate(ca);
  } catch (cause) {
    throw new Error("tls.ca: expected a certificate in PEM", { cause });
  }
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
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Certificates for new connections, with the options of the old ones. */
export function toSecureContextOptions(tls: TlsOptions): SecureContextOptions {
  return { ...tls, secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
}

/**
 * Whether a connection may speak HTTP/2. With TLS 1.2 that needs a cipher suite with ephemeral keys and AEAD (RFC 9113
 * section 9.2.2); every suite of TLS 1.3 has both.
 */
export function isAdequateForHttp2(socket: TLSSocket): boolean {
  return socket.getProtocol() !== "TLSv1.2" || /^(?:EC)?DHE-.*(?:GCM|CCM|CHACHA20)/.test(socket.getCipher().name);
}
