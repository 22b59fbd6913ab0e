// Brings the certificate of a client, with mutual TLS, to handlers and interceptors.
import type { PeerCertificate, TLSSocket } from "node:tls";
import { type ContextKey, type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import type { NodeServerRequest } from "./listen/handler.js";

/** Context value: the verified certificate of the client; undefined unless the server asks for one. */
export const peerCertificate: ContextKey<PeerCertificate | undefined> = createContextKey<PeerCertificate | undefined>(
  undefined,
  { description: "certificate of the client" },
);

type MakeContextValues = (request: NodeServerRequest) => ContextValues;

/** Adds the certificate to the values that the application makes. It is read once per connection. */
export function withPeerCertificate(make: MakeContextValues | undefined): MakeContextValues {
  const certificates = new WeakMap<TLSSocket, PeerCertificate>();
  return (request) => {
    const socket = ("stream" in request ? request.stream.session?.socket : request.socket) as TLSSocket | undefined;
    const values = make?.(request) ?? createContextValues();
    if (socket === undefined) return values;
    const certificate = certificates.get(socket) ?? socket.getPeerCertificate();
    certificates.set(socket, certificate);
    return values.set(peerCertificate, certificate);
  };
}
