// The certificate that every peer shows: self-signed, for localhost, of the client's tests.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @param {string} name */
const find = (name) => fileURLToPath(new URL(`../../support/certificates/${name}`, import.meta.url));

/** Paths of PEM files. */
export const tlsFiles = { cert: find("localhost-cert.pem"), key: find("localhost-key.pem") };

export const tls = { cert: readFileSync(tlsFiles.cert), key: readFileSync(tlsFiles.key) };
