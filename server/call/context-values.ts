// Makes the context values of a call: the application's own, and the certificate of the client.
import type { PeerCertificate, TLSSocket } from "node:tls";
import { type ContextKey, type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import type { Exchange } from "../http/exchange.js";
import type { NodeServerRequest } from "../http/node.js";
import type { TlsOptions } from "../listen/tls.js";

/** Context value: the verified certificate of the client; undefined unless the server asks for one. */
export const peerCertificate: ContextKey<PeerCertificate | undefined> = createContextKey<PeerCertificate | undefined>(
  undefined,
  { description: "certificate of the client" },
);

type MakeContextValues = (exchange: Exchange) => ContextValues;

/** Undefined if calls begin with no values. */
export function contextValuesOf(options: {
  contextValues?: ((request: NodeServerRequest) => ContextValues) | undefined;
  tls?: TlsOptions | undefined;
}): MakeContextValues | undefined {
  const { contextValues } = options;
  const make = contextValues && ((exchange: Exchange) => contextValues(exchange.nodeRequest()));
  return options.tls?.ca === undefined ? make : withPeerCertificate(make);
}

/** The certificate is read once per connection. */
function withPeerCertificate(make: MakeContextValues | undefined): MakeContextValues {
  const certificates = new WeakMap<TLSSocket, PeerCertificate>();
  return (exchange) => {
    const socket = exchange.socket as TLSSocket;
    const certificate = certificates.get(socket) ?? socket.getPeerCertificate();
    certificates.set(socket, certificate);
    return (make?.(exchange) ?? createContextValues()).set(peerCertificate, certificate);
  };
}
