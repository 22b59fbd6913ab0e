// The ways in which a client can call: protocols, codecs and HTTP versions, by the options of a transport.
import { createClient } from "@connectrpc/connect";
import { createTransport, type TransportOptions } from "../../client/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";

export type Way = Omit<TransportOptions, "baseUrl">;

/** Routes of the test service, for `httpRules`. */
export const testRules = {
  rules: ["Unary", "ServerStream", "ClientStream", "BidiStream"].map((method) => ({
    selector: `manywire.test.v1.TestService.${method}`,
    post: `/rest/${method}`,
    body: "*",
  })),
};

/** Name → options. */
export const rpcWays: Readonly<Record<string, Way>> = {
  gRPC: { protocol: "grpc" },
  "gRPC with JSON": { protocol: "grpc", useBinaryFormat: false },
  "gRPC-Web": { protocol: "grpc-web" },
  "gRPC-Web over HTTP/1.1": { protocol: "grpc-web", httpVersion: "1.1" },
  Connect: { protocol: "connect" },
  "Connect with JSON": { protocol: "connect", useBinaryFormat: false },
  "Connect with JSON over HTTP/1.1": { protocol: "connect", useBinaryFormat: false, httpVersion: "1.1" },
};

/** The same, and REST, for a server with `testRules`. */
export const ways: Readonly<Record<string, Way>> = { ...rpcWays, REST: { protocol: "rest", httpRules: testRules } };

/** Opens a client of the test service. To be disposed, which closes its connections. */
export function openWay(baseUrl: string, way: Way) {
  const transport = createTransport({ ...way, baseUrl });
  return { client: createClient(TestService, transport), [Symbol.dispose]: () => transport.close() };
}

/** The header of a deadline, for a server that is to learn of it from a client that does not. */
export function deadlineHeader({ protocol }: Way, timeoutMs: number): Record<string, string> {
  if (protocol === "connect") return { "connect-timeout-ms": `${timeoutMs}` };
  if (protocol === "rest") return { "x-server-timeout": `${timeoutMs / 1000}` };
  return { "grpc-timeout": `${timeoutMs}m` };
}
