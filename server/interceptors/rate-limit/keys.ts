// What calls are counted by: the address of the client, who it is, a header, or what a function says.
import { hash } from "node:crypto";
import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { callInfo } from "../../call/context-values.js";
import { isToken } from "../../http/header.js";
import { clientNetwork } from "../../http/peer.js";
import { describeValue } from "../../quote.js";
import { principal } from "../principal.js";

/**
 * What calls are counted by:
 * - `"peer"`: the address of the client; of IPv6 the first 64 bits, which are one network;
 * - `"principal"`: who the client is, as an interceptor before has found out; without one, its address;
 * - `{ header }`: the value of a header, whose hash is kept; without one, the address;
 * - a function: the text that it returns; undefined does not limit the call.
 */
export type RateLimitKey =
  | "peer"
  | "principal"
  | { readonly header: string }
  | ((request: UnaryRequest | StreamRequest) => string | undefined);

type KeyOf = (request: UnaryRequest | StreamRequest) => string | undefined;

/** Longer keys would take more memory than keys should. */
const maxKeyLength = 128;

/** @throws TypeError that names the option */
export function readKey(key: RateLimitKey): KeyOf {
  if (key === "peer") return peerKey;
  if (key === "principal") return principalKey;
  if (typeof key === "function") {
    return (request) => {
      const text = key(request);
      return text === undefined ? undefined : bound(text);
    };
  }
  if (typeof key === "object" && key !== null && isToken(key.header)) return headerKey(key.header);
  const expected = '"peer", "principal", { header: "x-api-key" } or a function';
  throw new TypeError(`rateLimit: key: expected ${expected}, found ${describeValue(key)}`);
}

/** Calls without an address, over a Unix socket or from inside the process, are counted together. */
const peerKey: KeyOf = ({ contextValues }) => `peer:${networkOf(contextValues.get(callInfo)?.peer ?? "")}`;

const principalKey: KeyOf = (request) => {
  const who = request.contextValues.get(principal);
  return who === undefined ? peerKey(request) : bound(`principal:${who.kind}:${who.name}`);
};

/** Values of headers may be secrets. */
function headerKey(name: string): KeyOf {
  return (request) => {
    const value = request.header.get(name);
    return value === null ? peerKey(request) : `header:${digest(value)}`;
  };
}

function bound(text: string): string {
  return text.length > maxKeyLength ? `sha256:${digest(text)}` : text;
}

function digest(text: string): string {
  return hash("sha256", text, "base64url");
}

/** What counts as one client: an IPv4 address, or of IPv6 `2001:db8:0:0::/64`. */
export function networkOf(address: string): string {
  return address.includes(":") ? `${clientNetwork(address)}::/64` : address;
}
