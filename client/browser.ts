/** What `manywire/client` exports in browsers: the names of client/index.ts, but for compressions, which are the browser's. */
export { Code, ConnectError, createClient, createContextValues } from "@connectrpc/connect";
export {
  createConnectTransport,
  createGrpcWebTransport,
  createRestTransport,
  createTransport,
} from "./browser/transports.js";
export { TransportOptionError } from "./option-error.js";
export type { ClosableTransport, Protocol, ProtocolOptions, TransportOptions } from "./transport.js";
export { waitForReady } from "./wait-for-ready.js";

/** The names of the protocols that work in browsers. */
export const protocols = ["connect", "grpc-web", "rest"] as const;
