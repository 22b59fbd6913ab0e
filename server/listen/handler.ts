// What a listener hands on: requests and responses of Node, of either HTTP version.
import type { connectNodeAdapter } from "@connectrpc/connect-node";

/** Answers one request. Must not throw. */
export type NodeHandler = ReturnType<typeof connectNodeAdapter>;

/** A request of `node:http`, `node:https` or `node:http2`. */
export type NodeServerRequest = Parameters<NodeHandler>[0];

/** The response to it. */
export type NodeServerResponse = Parameters<NodeHandler>[1];

/** What a listener was doing when an error came up. */
export type ListenStep = "accept" | "tls handshake" | "http/1.1" | "http/2" | "handler";

/** Is told of what is worth a line in a log. Must not throw. */
export type Report = (error: Error, step: ListenStep) => void;
