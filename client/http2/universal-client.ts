// The HTTP client of Connect's protocols, and of REST, over our own HTTP/2.
import { Code, ConnectError } from "@connectrpc/connect";
import { getAbortSignalReason, type UniversalClientFn } from "@connectrpc/connect/protocol";
import { checkOutgoing } from "../../server/http2/field-rules.js";
import { createField, type Field } from "../../server/http2/hpack/field.js";
import type { Request } from "./request.js";
import type { Sessions } from "./sessions.js";
import { UniversalRequest } from "./universal-request.js";

/**
 * @param url the origin of the server. Requests to another one fail.
 */
export function createUniversalClient(sessions: Sessions, url: string): UniversalClientFn {
  const { origin } = new URL(url);
  return async ({ url, method, header, body, signal }) => {
    const fields = requestFields(new URL(url), origin, method, header);
    if (signal?.aborted === true) throw ConnectError.from(getAbortSignalReason(signal), Code.Canceled);
    return new Promise((respond, refuse) => {
      const forget = (request: Request) => void sessions.cancel(request);
      const isHead = method === "HEAD";
      sessions.send(new UniversalRequest({ fields, isHead, body, signal, respond, refuse, forget }));
    });
  };
}

function requestFields(url: URL, origin: string, method: string, header: Headers): Field[] {
  if (url.origin !== origin) {
    throw new ConnectError(`cannot make a request to ${url.origin}: the connection is to ${origin}`, Code.Internal);
  }
  const fields = [
    createField(":method", method),
    createField(":scheme", url.protocol.slice(0, -1)),
    createField(":authority", header.get("host") ?? url.host),
    createField(":path", url.pathname + url.search),
  ];
  header.forEach((value, name) => {
    if (name !== "host") fields.push(createField(name, value));
  });
  const fault = checkOutgoing(fields);
  if (fault !== undefined) throw new ConnectError(`headers: ${fault}`, Code.Internal);
  return fields;
}
