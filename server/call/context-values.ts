// Makes the context values of a call: the application's own, the certificate of the client, and what forwarding needs.
import { type PeerCertificate, TLSSocket } from "node:tls";
import { type ContextKey, type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import { type RequestHead, type RequestInfo, toRequestInfo } from "../http/exchange.js";
import type { TlsOptions } from "../listen/tls.js";

/** Context value: the verified certificate of the client; undefined unless the server asks for one. */
export const peerCertificate: ContextKey<PeerCertificate | undefined> = createContextKey<PeerCertificate | undefined>(
  undefined,
  { description: "certificate of the client" },
);

/** Context value: the head of the request, in servers that forward calls. */
export const requestHeadKey: ContextKey<RequestHead | undefined> = createContextKey<RequestHead | undefined>(
  undefined,
  {
    description: "head of the request",
  },
);

type MakeContextValues = (head: RequestHead) => ContextValues;

/** Undefined if calls begin with no values. */
export function contextValuesOf(options: {
  contextValues?: ((request: RequestInfo) => ContextValues) | undefined;
  tls?: TlsOptions | undefined;
  upstreams?: readonly unknown[] | undefined;
}): MakeContextValues | undefined {
  const { contextValues } = options;
  const own = contextValues && ((head: RequestHead) => contextValues(toRequestInfo(head)));
  const make = options.tls?.ca === undefined ? own : withPeerCertificate(own);
  return options.upstreams === undefined ? make : withRequestHead(make);
}

function withRequestHead(make: MakeContextValues | undefined): MakeContextValues {
  return (head) => (make?.(head) ?? createContextValues()).set(requestHeadKey, head);
}

/** The certificate is read once per connection. */
function withPeerCertificate(make: MakeContextValues | undefined): MakeContextValues {
  const certificates = new WeakMap<TLSSocket, PeerCertificate>();
  const certificateOf = (socket: TLSSocket) => {
    const certificate = certificates.get(socket) ?? socket.getPeerCertificate();
    certificates.set(socket, certificate);
    return certificate;
  };
  return (head) => {
    // A call from inside the process has no connection.
    const certificate = head.socket instanceof TLSSocket ? certificateOf(head.socket) : undefined;
    return (make?.(head) ?? createContextValues()).set(peerCertificate, certificate);
  };
}
