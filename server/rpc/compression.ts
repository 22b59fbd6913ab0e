// Negotiates the compression of request and response as Connect does, once per pair of header values.
import { type Compression, compressionNegotiate } from "@connectrpc/connect/protocol";
import { shorten } from "../quote.js";

/** The compression of one call. `error` is the response if there is none. */
export type Negotiated = ReturnType<typeof compressionNegotiate>;

/** Settles compression from the values of two request headers. */
export type Negotiator = (requested: string | undefined, accepted: string | undefined) => Negotiated;

const none: Negotiated = { request: null, response: null };
const maxRemembered = 256;
/** Longer header values are rare and not cached. */
const maxRememberedLength = 256;

/** @param acceptHeader the name of the request header that lists what the caller accepts, for the error text */
export function createNegotiator(available: Compression[], acceptHeader: string): Negotiator {
  const remembered = new Map<string, Negotiated>();
  const isWorthRemembering = (key: string) => remembered.size < maxRemembered && key.length <= maxRememberedLength;
  return (requested, accepted) => {
    if (requested === undefined && accepted === undefined) return none;
    const key = JSON.stringify([requested, accepted]);
    const known = remembered.get(key);
    if (known !== undefined) return known;
    // The error quotes the name.
    const name = requested === undefined ? null : shorten(requested);
    const settled = compressionNegotiate(available, name, accepted ?? null, acceptHeader);
    // An error carries metadata that belongs to one call, so it is made anew each time.
    if (settled.error === undefined && isWorthRemembering(key)) remembered.set(key, settled);
    return settled;
  };
}
