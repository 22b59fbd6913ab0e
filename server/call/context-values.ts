// Makes the context values of a call: the application's own, and the certificate of the client.
import type { PeerCertificate, TLSSocket } from "node:tls";
import { type ContextKey, type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import { type RequestHead, type RequestInfo, toRequestInfo } from "../http/exchange.js";
import type { TlsOptions } from "../listen/tls.js";

/** Context value: the verified certificate of the client; undefined unless the server asks for one. */
export const peerCertificate: ContextKey<PeerCertificate | undefined> = createContextKey<PeerCertificate | undefined>(
  undefined,
  { description: "certificate of the client" },
);

type MakeContextValues = (head: RequestHead) => ContextValues;

/** Undefined if calls begin with no values. */
export function contextValuesOf(options: {
  contextValues?: ((request: RequestInfo) => ContextValues) | undefined;
  tls?: TlsOptions | undefined;
}): MakeContextValues | undefined {
  const { contextValues } = options;
  const make = contextValues && ((head: RequestHead) => contextValues(toRequestInfo(head)));
  return options.tls?.ca === undefined ? make : withPeerCertificate(make);
}

/** The certificate is read once per connection. */
function withPeerCertificate(make: MakeContextValues | undefined): MakeContextValues {
  const certificates = new WeakMap<TLSSocket, PeerCertificate>();
  return (head) => {
    const socket = head.socket as TLSSocket;
    const certificate = certificates.get(socket) ?? socket.getPeerCertificate();
    certificates.set(socket, certificate);
    return (make?.(head) ?? createContextValues()).set(peerCertificate, certificate);
  };
}
