// The certificate that every peer shows: self-signed, for localhost, of the client's tests.
import { readFileSync } from "node:fs";

/** @param {string} name */
const read = (name) => readFileSync(new URL(`../../support/certificates/${name}`, import.meta.url));

export const tls = { cert: read("localhost-cert.pem"), key: read("localhost-key.pem") };
