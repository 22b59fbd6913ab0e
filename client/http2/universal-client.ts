// The HTTP client of Connect's protocols, and of REST, over our own HTTP/2.
import { Code, ConnectError } from "@connectrpc/connect";
import { getAbortSignalReason } from "@connectrpc/connect/protocol";
import type { ClientFn } from "../call-init.js";
import type { Pool } from "./pool.js";
import type { Request } from "./request.js";
import { requestFields } from "./request-fields.js";
import { UniversalRequest } from "./universal-request.js";

/** @param baseUrl whose origin the pool connects to. Requests to another one fail. */
export function createUniversalClient(pool: Pool, baseUrl: string): ClientFn {
  const { origin } = new URL(baseUrl);
  return async ({ url, method, header, body, signal, waitsForReady = false }) => {
    const target = new URL(url);
    if (target.origin !== origin) {
      const text = `cannot make a request to ${target.origin}: the connection is to ${origin}`;
      throw new ConnectError(text, Code.Internal);
    }
    const fields = requestFields(target, method, header);
    if (signal?.aborted === true) throw ConnectError.from(getAbortSignalReason(signal), Code.Canceled);
    return new Promise((respond, refuse) => {
      const forget = (request: Request) => void pool.cancel(request);
      const isHead = method === "HEAD";
      const init = { fields, isHead, body, signal, waitsForReady, respond, refuse, forget };
      pool.send(new UniversalRequest(init));
    });
  };
}
