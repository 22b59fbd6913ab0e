// Makes the context values of a call: the application's own, its request, and the certificate of the client.
import { type PeerCertificate, TLSSocket } from "node:tls";
import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { RequestHead, RequestInfo } from "../http/exchange.js";
import type { TlsOptions } from "../listen/tls.js";
import { type CallInfo, HeadInfo } from "./call-info.js";

/** Context value: the verified certificate of the client; undefined unless the server asks for one. */
export const peerCertificate: ContextKey<PeerCertificate | undefined> = createContextKey<PeerCertificate | undefined>(
  undefined,
  { description: "certificate of the client" },
);

/**
 * Context value: the request of the call and its client, for interceptors and handlers. Undefined where an interceptor has
 * replaced the context values.
 */
export const callInfo: ContextKey<CallInfo | undefined> = createContextKey<CallInfo | undefined>(undefined, {
  description: "request of the call",
});

/** Values by key. A key that is not set has its default, and `callInfo` what is made of the request when it is first read. */
export class CallValues implements ContextValues {
  [id: symbol]: unknown;
  readonly #head: RequestHead;

  constructor(head: RequestHead) {
    this.#head = head;
  }

  get<T>(key: ContextKey<T>): T {
    if (!(key.id in this)) {
      if (key.id !== callInfo.id) return key.defaultValue;
      this[key.id] = new HeadInfo(this.#head);
    }
    return this[key.id] as T;
  }

  set<T>(key: ContextKey<T>, value: T): this {
    this[key.id] = value;
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    delete this[key.id];
    return this;
  }
}

/** The head of the request, where an interceptor has not replaced the context values. */
export function requestHeadOf(values: ContextValues): RequestHead | undefined {
  const info = values.get(callInfo);
  return info instanceof HeadInfo ? info.head : undefined;
}

type MakeContextValues = (head: RequestHead) => ContextValues;

/** Undefined if calls begin with no values of the application, and no certificate. */
export function contextValuesOf(options: {
  contextValues?: ((request: RequestInfo) => ContextValues) | undefined;
  tls?: TlsOptions | undefined;
}): MakeContextValues | undefined {
  const { contextValues } = options;
  const own = contextValues && withCallInfo(contextValues);
  return options.tls?.ca === undefined ? own : withPeerCertificate(own);
}

function withCallInfo(make: (request: RequestInfo) => ContextValues): MakeContextValues {
  return (head) => {
    const info = new HeadInfo(head);
    return make(info.request).set(callInfo, info);
  };
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
    return (make?.(head) ?? new CallValues(head)).set(peerCertificate, certificate);
  };
}
