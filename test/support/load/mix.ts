// Callers of every protocol, over both HTTP versions.
import { type Call, type CallerTls, openCaller1, openCaller2 } from "./callers.js";
import { connectCall, connectUploadCall, grpcCall, grpcDialogCall, restCall, webStreamCall } from "./calls.js";
import type { CallEnd, Caller } from "./load.js";

/** Calls over HTTP/1.1, where gRPC cannot go, and over HTTP/2. */
const calls1: ((index: number) => Call)[] = [connectCall, webStreamCall, connectUploadCall, restCall];
const calls2: ((index: number) => Call)[] = [...calls1, grpcCall, grpcDialogCall];

/** URLs for either HTTP version, of a proxy. */
export interface MixTarget {
  readonly http1: string;
  readonly http2: string;
  readonly tls?: CallerTls;
}

/** Ten callers. */
export function openMix({ http1, http2, tls }: MixTarget): Caller[] {
  return [
    ...calls1.map((call) => openCaller1(http1, call, tls)),
    ...calls2.map((call) => patient(openCaller2(http2, call, tls))),
  ];
}

/** Makes a call again that was turned away: a proxy that takes a new configuration says goodbye to its callers. */
function patient(caller: Caller): Caller {
  const call = async (index: number): Promise<CallEnd> => {
    const end = await caller.call(index);
    return end.kind === "turned away" ? call(index) : end;
  };
  return { call, close: () => caller.close() };
}
