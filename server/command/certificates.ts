// Reads the PEM files of a TLS server. Errors name the invalid file.
import { X509Certificate } from "node:crypto";
import type { TlsOptions } from "../listen/tls.js";
import { readCertificateFile, readPrivateKeyFile } from "../program/pem.js";
import { SettingError } from "../program/setting-error.js";
import type { ServedTls } from "./banner.js";
import type { Config, TlsFiles } from "./config.js";
import type { Flag, Given } from "./settings.js";

/**
 * What `createServer` takes; undefined if nothing was set. Reads the files anew each time.
 *
 * @throws SettingError if files are missing, are not PEM of the right kind, or do not belong together
 */
export function readTls({ tls, nameOf }: Pick<Config, "tls" | "nameOf">): TlsOptions | undefined {
  const { cert, key, clientCa } = tls;
  if (cert === undefined || key === undefined) {
    if (cert !== undefined) throw lacking(nameOf("--tls-cert"), "--tls-key");
    if (key !== undefined) throw lacking(nameOf("--tls-key"), "--tls-cert");
    if (clientCa !== undefined) throw lacking(nameOf("--tls-client-ca"), "--tls-cert");
    return undefined;
  }
  const pair = readKeyPair({ name: nameOf("--tls-cert"), value: cert }, { name: nameOf("--tls-key"), value: key });
  if (clientCa === undefined) return pair;
  return { ...pair, ca: readCertificateFile(nameOf("--tls-client-ca"), clientCa).pem };
}

/**
 * Reads the files of a certificate and its key.
 *
 * @throws SettingError if one is not PEM of its kind, or they do not belong together
 */
export function readKeyPair(cert: Given<string>, key: Given<string>): { cert: Buffer; key: Buffer } {
  const certificate = readCertificateFile(cert.name, cert.value);
  const privateKey = readPrivateKeyFile(key.name, key.value);
  if (!certificate.value.checkPrivateKey(privateKey.value)) {
    throw new SettingError(`${key.name}: ${key.value}: not the key of the certificate ${cert.value}`, 1);
  }
  return { cert: certificate.pem, key: privateKey.pem };
}

/** TLS settings of example calls: the CA to trust, if it is one of our files, and whether a client certificate is required. */
export function describeTls({ cert, ca }: TlsOptions, files: TlsFiles): ServedTls {
  const certificate = new X509Certificate(cert);
  const signs = (pem: string | Buffer | undefined) =>
    pem !== undefined && certificate.checkIssued(new X509Certificate(pem));
  const authority = signs(cert) ? files.cert : signs(ca) ? files.clientCa : undefined;
  return { certificate, authority, isMutual: ca !== undefined };
}

function lacking(name: string, missing: Flag): SettingError {
  return new SettingError(`${name}: expected ${missing} to go with it`, 1);
}
