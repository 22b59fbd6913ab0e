// connectNodeAdapter on Node's own servers behind the signature of createServer, with nothing of this project in it: what
// fails here as well is not our doing.
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";

/**
 * A plaintext Node server speaks one HTTP version; `isHttp2` says which.
 * @param {import("@connectrpc/connect-node").ConnectNodeAdapterOptions & { tls?: import("node:tls").TlsOptions, isHttp2: boolean }} options
 */
export function createBaseline({ tls, isHttp2, ...options }) {
  const handler = connectNodeAdapter(options);
  const createPlaintext = () => (isHttp2 ? createHttp2Server(handler) : createHttpServer(handler));
  const server = tls
    ? createSecureServer({ ...tls, allowHTTP1: true, requestCert: tls.ca !== undefined }, handler)
    : createPlaintext();
  return {
    listen: () => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined))),
    // Node's HTTP/2 server waits for its sessions, and the suite keeps them open.
    close: async () => process.exit(),
    get url() {
      const address = server.address();
      return `${tls ? "https" : "http"}://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    },
  };
}
