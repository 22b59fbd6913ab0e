// Reads the PEM files of a TLS server, and says which of them cannot be used and why.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TlsOptions } from "../listen/tls.js";
import type { ServedTls } from "./banner.js";
import { type Config, SettingError, type TlsFiles } from "./config.js";
import { describeFileError } from "./file-error.js";
import type { Flag } from "./settings.js";

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
  const certificate = readPem(nameOf("--tls-cert"), cert, readCertificate);
  const privateKey = readPem(nameOf("--tls-key"), key, readPrivateKey);
  if (!certificate.value.checkPrivateKey(privateKey.value)) {
    throw new SettingError(`${nameOf("--tls-key")}: ${key}: not the key of the certificate ${cert}`, 1);
  }
  const pair = { cert: certificate.pem, key: privateKey.pem };
  if (clientCa === undefined) return pair;
  return { ...pair, ca: readPem(nameOf("--tls-client-ca"), clientCa, readCertificate).pem };
}

/** What callers have to know: whom to trust, where one of our own files tells it, and whether to show a certificate. */
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

function readPem<Value>(name: string, path: string, parse: (pem: Buffer) => Value): { pem: Buffer; value: Value } {
  try {
    const pem = readFileSync(path);
    return { pem, value: parse(pem) };
  } catch (error) {
    throw new SettingError(`${name}: ${path}: ${describeFileError(error)}`, 1);
  }
}

function readCertificate(pem: Buffer): X509Certificate {
  return read(() => new X509Certificate(pem), "expected a certificate in PEM");
}

function readPrivateKey(pem: Buffer): KeyObject {
  return read(() => createPrivateKey(pem), "expected a private key in PEM, without a passphrase");
}

/** OpenSSL's own reasons differ from version to version and name its functions. */
function read<Value>(parse: () => Value, expected: string): Value {
  try {
    return parse();
  } catch {
    throw new Error(expected);
  }
}
