// Reads PEM files that settings name.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { SettingError } from "./setting-error.js";
import { readSettingFile } from "./setting-file.js";

/** A PEM file and its parsed content. */
interface Pem<Value> {
  readonly pem: Buffer;
  readonly value: Value;
}

/**
 * Reads a file with a certificate. The content is checked here: Node's TLS ignores an authority that it cannot read.
 *
 * @param name the name of the setting, for the error
 * @throws SettingError with exit code 1
 */
export function readCertificateFile(name: string, path: string): Pem<X509Certificate> {
  return readPem(name, path, (pem) => new X509Certificate(pem), "expected a certificate in PEM");
}

/** Reads a file with a private key. Parameters and errors as `readCertificateFile`. */
export function readPrivateKeyFile(name: string, path: string): Pem<KeyObject> {
  return readPem(name, path, createPrivateKey, "expected a private key in PEM, without a passphrase");
}

function readPem<Value>(name: string, path: string, parse: (pem: Buffer) => Value, expected: string): Pem<Value> {
  const pem = readSettingFile(name, path);
  try {
    return { pem, value: parse(pem) };
  } catch {
    // OpenSSL's own reasons differ from version to version and name its functions.
    throw new SettingError(`${name}: ${path}: ${expected}`, 1);
  }
}
