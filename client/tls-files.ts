/** The flags with which a command names the files of its TLS, and what `createTransport` makes of them. */
import { Option } from "commander";
import { readCertificateFile, readPrivateKeyFile } from "../server/program/pem.js";
import { SettingError } from "../server/program/setting-error.js";
import type { ClientTlsOptions } from "./http2/open-socket.js";

/** Paths of PEM files. */
export interface TlsFiles {
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
}

/** `--tls-ca`, `--tls-cert` and `--tls-key`. */
export function createTlsOptions(): Option[] {
  return [
    new Option("--tls-ca <file>", "authorities to trust, PEM, in place of Node's own"),
    new Option("--tls-cert <file>", "certificate to show to the server, PEM"),
    new Option("--tls-key <file>", "the certificate's private key, PEM"),
  ];
}

/** Returns undefined if no file is named. @throws SettingError that names the flag */
export function readTls({ tlsCa, tlsCert, tlsKey }: TlsFiles): ClientTlsOptions | undefined {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new SettingError("--tls-cert, --tls-key: expected both or neither, found one", 2);
  }
  const tls: ClientTlsOptions = {
    ...(tlsCa !== undefined && { ca: readCertificateFile("--tls-ca", tlsCa).pem }),
    ...(tlsCert !== undefined && { cert: readCertificateFile("--tls-cert", tlsCert).pem }),
    ...(tlsKey !== undefined && { key: readPrivateKeyFile("--tls-key", tlsKey).pem }),
  };
  return Object.keys(tls).length === 0 ? undefined : tls;
}
