// Requests and responses as Node's own objects, of either HTTP version.
import type { connectNodeAdapter } from "@connectrpc/connect-node";

/** Answers one request. Must not throw. */
export type NodeHandler = ReturnType<typeof connectNodeAdapter>;

/** A request of `node:http`, `node:https` or `node:http2`. */
export type NodeServerRequest = Parameters<NodeHandler>[0];

/** The response to it. */
export type NodeServerResponse = Parameters<NodeHandler>[1];
