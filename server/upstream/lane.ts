// Chooses how a call of a forwarded method goes on: its bytes as they come, or its messages decoded and encoded again.
import { isPlain } from "../../client/call-settings.js";
import type { CallEnvironment } from "../call/call.js";
import type { RpcProtocol } from "../call/method.js";
import { header } from "../http/header.js";
import { connectStream } from "../rpc/connect.js";
import { requestedEncoding } from "../rpc/connect-unary.js";
import { grpc } from "../rpc/grpc.js";
import { grpcWeb } from "../rpc/grpc-web.js";
import type { Lane } from "../rpc/handler.js";
import type { EnvelopeWire } from "../rpc/wire.js";
import { createBytesSetup, serveBytes } from "./bytes.js";
import { createRoute } from "./channel.js";
import { createPipeSetup, type PipeSetup, servePipe } from "./pipe.js";
import type { ForwardedMethod } from "./table.js";

/**
 * Serves calls of a forwarded method.
 *
 * @param decode serves calls whose messages have to be decoded: those with JSON, those of a method with interceptors, those that
 * may be sent again or have a deadline of the service config, and compressed requests, as long as the upstream has not said
 * that it takes the compression
 */
export function createForwardLane(method: ForwardedMethod, environment: CallEnvironment, decode: Lane): Lane {
  const { target, path } = method;
  const { encodings, settingsOf } = target.channel;
  const settings = settingsOf(method.spec.method);
  if (method.interceptors.length > 0 || !isPlain(settings)) return decode;
  const route = createRoute(target, path, settings.waits(undefined));
  const setup = (wire: EnvelopeWire) => createPipeSetup(method, environment, wire, route);
  const pipes: Record<RpcProtocol, PipeSetup> = {
    grpc: setup(grpc),
    "grpc-web": setup(grpcWeb),
    connect: setup(connectStream),
  };
  const bytes = method.kind === "unary" ? createBytesSetup(method, environment, route) : undefined;
  return (format, exchange, query) => {
    if (format.codec !== "proto") decode(format, exchange, query);
    else if (format.isEnveloped) {
      const pipe = pipes[format.protocol];
      const encoding = header(exchange.headers, pipe.wire.encodingHeader);
      if (encodings.takes(encoding)) servePipe(pipe, format, exchange);
      else decode(format, exchange, query);
    } else if (bytes !== undefined && encodings.takes(requestedEncoding(exchange, query))) {
      serveBytes(bytes, format, exchange, query);
    } else decode(format, exchange, query);
  };
}
