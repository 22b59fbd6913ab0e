// The certificates of the folder `certificates`, as tests use them. `make.sh` there says how they were made.
import { readFileSync } from "node:fs";

/** A certificate and its key, in PEM. */
export interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

function readPem(name: string): Buffer {
  return readFileSync(new URL(`certificates/${name}.pem`, import.meta.url));
}

function readIdentity(name: string): Identity {
  return { cert: readPem(name), key: readPem(`${name}-key`) };
}

/** The authority that signed all certificates but one. */
export const authority: Buffer = readPem("authority");

/** Of a server at localhost, 127.0.0.1 or ::1. Common name `first.localhost`. */
export const serverIdentity: Identity = readIdentity("server");

/** Of the same server, later. Common name `renewed.localhost`. */
export const renewedIdentity: Identity = readIdentity("renewed");

/** Of a client. Common name `client.localhost`. */
export const clientIdentity: Identity = readIdentity("client");

/** Of a client that an authority signed which is not ours. */
export const strangerIdentity: Identity = readIdentity("stranger");
