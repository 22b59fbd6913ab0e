// What the server knows of one RPC before it is called, whatever protocol calls it.
import type { Registry } from "@bufbuild/protobuf";
import type { Interceptor, MethodImplSpec } from "@connectrpc/connect";
import type { UniversalHandlerOptions } from "@connectrpc/connect/protocol";

/** The protocols that carry RPCs, by the names that Connect gives them in `HandlerContext.protocolName`. */
export type RpcProtocol = "connect" | "grpc" | "grpc-web";

/** How a call came: by an RPC protocol, or by a route of google.api.http. */
export type ProtocolName = RpcProtocol | "rest";

/** Options of one method: the server's, with those of its service added. Limits are in bytes, timeouts in milliseconds. */
export interface MethodOptions extends UniversalHandlerOptions {
  /** Maximum number of elements of one request message; no limit if undefined. */
  readonly readMaxElements?: number | undefined;
  /** Whether responses are compressed; undefined for the default of each protocol. */
  readonly compressResponses?: boolean | undefined;
  /** Whether code may be made of message types. Default true. */
  readonly codeGeneration?: boolean | undefined;
}

interface MethodBase {
  /** The request path, `/package.Service/Method`. */
  readonly path: string;
  /** The URL of the upstream that serves it, as it was given; undefined for a method of this server. */
  readonly upstream?: string | undefined;
  /** The types of the files that were served with it, and the well-known ones. */
  readonly types: Registry;
  /** The registry of `jsonOptions` also knows the types of the served files. */
  readonly options: MethodOptions;
  /** The interceptors of `options`, with a boundary for errors inside each: what runs around the implementation. */
  readonly interceptors: Interceptor[];
  /** The RPC protocols that may call it. Never empty. */
  readonly protocols: ReadonlySet<RpcProtocol>;
}

/** Implementation and descriptor of a unary method. */
export type UnarySpec = Extract<MethodImplSpec, { kind: "unary" }>;

/** Implementation and descriptor of a streaming method. */
export type StreamSpec = Exclude<MethodImplSpec, { kind: "unary" }>;

/** A method with one request and one reply. */
export interface UnaryMethod extends MethodBase {
  readonly kind: "unary";
  readonly spec: UnarySpec;
}

/** A method with many requests, many replies, or both. */
export interface StreamMethod extends MethodBase {
  readonly kind: StreamSpec["kind"];
  readonly spec: StreamSpec;
}

/** One RPC: its descriptor, its implementation and the options in force for it. */
export type Method = UnaryMethod | StreamMethod;

/** Whether a request has exactly one message, so that the client must send all of it. */
export function hasOneRequest({ kind }: Method): boolean {
  return kind === "unary" || kind === "server_streaming";
}

/** Whether a response has exactly one message, unless the call fails. */
export function hasOneReply({ kind }: Method): boolean {
  return kind === "unary" || kind === "client_streaming";
}

/** The kind of a method as errors spell it: `server-streaming`. */
export function kindName(kind: Method["kind"]): string {
  return kind.replace("_", "-");
}
