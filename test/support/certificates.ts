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

/** The authority of the clients below, whose certificates have alternative names. */
export const clientsAuthority: Buffer = readPem("clients-authority");

/** `spiffe://prod.test/ns/shop/orders` and `orders.prod.test`. */
export const ordersIdentity: Identity = readIdentity("orders");

/** `alice@prod.test`. */
export const personIdentity: Identity = readIdentity("person");

/** Names that contain those of the two above, behind a comma or a quote. */
export const hostileIdentity: Identity = readIdentity("hostile");

/** No alternative name, but the common name `orders.prod.test`. */
export const namelessIdentity: Identity = readIdentity("nameless");
