/**
 * Turns a base URL into the place to connect to: an `http:` or `https:` host, or a Unix socket, which is written
 * `unix:/path` or `unix:///path` as in gRPC's names (https://github.com/grpc/grpc/blob/v1.71.0/doc/naming.md).
 */
import { TransportOptionError } from "./option-error.js";

/** Where a transport's calls go. */
export interface Endpoint {
  /** The URL that method paths are added to; `http://localhost` for a Unix socket. */
  url: string;
  isTls: boolean;
  /** The Unix socket's path in the file system. */
  socketPath?: string;
}

/** Throws a `TransportOptionError` for anything but an absolute `http:`, `https:` or `unix:` URL. */
export function parseBaseUrl(baseUrl: string): Endpoint {
  const socketPath = /^unix:(?:\/\/(?=\/)|(?!\/\/))(.+)$/.exec(baseUrl)?.[1];
  if (socketPath !== undefined) return { url: "http://localhost", isTls: false, socketPath };
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new TransportOptionError("baseUrl", `expected an http:, https: or unix: URL, found "${baseUrl}"`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TransportOptionError("baseUrl", "expected no user or password, which belong in a header");
  }
  if (url.search !== "" || url.hash !== "") {
    throw new TransportOptionError("baseUrl", `expected no query and no fragment, found "${url.search}${url.hash}"`);
  }
  return { url: url.href, isTls: url.protocol === "https:" };
}

/** The URL of an address as gRPC's tools take it: `localhost:50051` is plaintext. A URL stays as it is. */
export function toBaseUrl(address: string): string {
  return /^(?:[a-z][a-z\d+.-]*:\/\/|unix:)/i.test(address) ? address : `http://${address}`;
}
