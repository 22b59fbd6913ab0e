// Our own reading and writing of gRPC, gRPC-Web and Connect.

import type { CallEnvironment } from "../call/call.js";
import type { Method, RpcProtocol } from "../call/method.js";
import { createCodecs } from "./codec.js";
import { createNegotiator } from "./compression.js";
import { connectStream, connectUnary } from "./connect.js";
import { ConnectUnaryCall } from "./connect-unary-call.js";
import type { EnvelopeShape } from "./envelope-call.js";
import { grpc } from "./grpc.js";
import { grpcWeb } from "./grpc-web.js";
import type { Lane } from "./lane.js";
import { StreamCall } from "./stream-call.js";
import { UnaryCall } from "./unary-call.js";
import type { EnvelopeWire } from "./wire.js";

/** Prepares everything that calls of the method share. */
export function createFastLane(method: Method, environment: CallEnvironment): Lane {
  const { options, spec } = method;
  const codecs = createCodecs(method);
  const envelopes = (wire: EnvelopeWire): EnvelopeShape => ({
    method,
    environment,
    codecs: codecs[wire.protocol === "connect" ? "connect" : "grpc"],
    wire,
    negotiate: createNegotiator(options.acceptCompression, wire.acceptEncodingHeader),
    heads: new Map(),
  });
  const shapes: Record<RpcProtocol, EnvelopeShape> = {
    grpc: envelopes(grpc),
    "grpc-web": envelopes(grpcWeb),
    connect: envelopes(connectStream),
  };
  const unary = {
    method,
    environment,
    codecs: codecs.connect,
    negotiate: createNegotiator(options.acceptCompression, connectUnary.acceptEncodingHeader),
  };
  const EnvelopeCall = spec.kind === "unary" ? UnaryCall : StreamCall;

  return (format, exchange, query) => {
    const call = format.isEnveloped
      ? new EnvelopeCall(shapes[format.protocol], format, exchange)
      : new ConnectUnaryCall(unary, format, exchange, query);
    call.start();
  };
}
