/** Sends requests by a function like `fetch`, which takes the place of connections. */
import { Code, ConnectError } from "@connectrpc/connect";
import { createFetchClient, type Fetch } from "./browser/fetch-client.js";
import type { ClientConnections } from "./connections.js";

export function openFetch(fetch: Fetch): ClientConnections {
  let closing = new AbortController();
  return {
    httpClient: createFetchClient(fetch, () => closing.signal),
    close() {
      closing.abort(new ConnectError("the transport was closed", Code.Canceled));
      closing = new AbortController();
    },
  };
}
