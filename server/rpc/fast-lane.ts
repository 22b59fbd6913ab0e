// Our own reading and writing of gRPC, gRPC-Web and Connect.
import type { CallEnvironment } from "../call/call.js";
import type { Method, RpcProtocol } from "../call/method.js";
import { createCodecs } from "./codec.js";
import { createNegotiator } from "./compression.js";
import { connectStream, connectUnary } from "./connect.js";
import { type ConnectUnarySetup, serveConnectUnary } from "./connect-unary.js";
import type { EnvelopeSetup } from "./envelope-request.js";
import { grpc } from "./grpc.js";
import { grpcWeb } from "./grpc-web.js";
import type { Lane } from "./handler.js";
import { serveStream } from "./stream.js";
import { serveUnary } from "./unary.js";
import type { EnvelopeWire } from "./wire.js";

/** Prepares everything that calls of the method share. */
export function createFastLane(method: Method, environment: CallEnvironment): Lane {
  const codecs = createCodecs(method);
  const { acceptCompression } = method.options;
  const inEnvelopes = <M extends Method>(method: M, wire: EnvelopeWire): EnvelopeSetup<M> => ({
    method,
    environment,
    codecs: codecs[wire.protocol === "connect" ? "connect" : "grpc"],
    wire,
    negotiate: createNegotiator(acceptCompression, wire.acceptEncodingHeader),
    heads: new Map(),
  });
  const byProtocol = <M extends Method>(method: M): Record<RpcProtocol, EnvelopeSetup<M>> => ({
    grpc: inEnvelopes(method, grpc),
    "grpc-web": inEnvelopes(method, grpcWeb),
    connect: inEnvelopes(method, connectStream),
  });
  if (method.kind !== "unary") {
    const setups = byProtocol(method);
    return (format, exchange) => serveStream(setups[format.protocol], format, exchange);
  }
  const setups = byProtocol(method);
  const plain: ConnectUnarySetup = {
    method,
    environment,
    codecs: codecs.connect,
    negotiate: createNegotiator(acceptCompression, connectUnary.acceptEncodingHeader),
  };
  return (format, exchange, query) => {
    if (format.isEnveloped) serveUnary(setups[format.protocol], format, exchange);
    else serveConnectUnary(plain, format, exchange, query);
  };
}
