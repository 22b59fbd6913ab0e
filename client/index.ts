/** What `manywire/client` exports: a transport for every protocol, and what a program needs from Connect to use it. */
export { Code, ConnectError, createClient, createContextValues } from "@connectrpc/connect";
export { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
export type { ClientTlsOptions } from "./connections.js";
export { TransportOptionError } from "./option-error.js";
export {
  type ClosableTransport,
  createConnectTransport,
  createGrpcWebTransport,
  createRestTransport,
  createTransport,
  type Protocol,
  type ProtocolOptions,
  protocols,
  type TransportOptions,
} from "./transport.js";
export { waitForReady } from "./wait-for-ready.js";
