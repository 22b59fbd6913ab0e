// Forwards calls to another server: the implementations of methods that are served elsewhere.
import type { DescMethod, DescMethodStreaming, DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type MethodImpl,
  type Transport,
} from "@connectrpc/connect";
import { passError, passMetadata, passRequestHeaders } from "./metadata.js";

/** Registers the methods of services, whose calls go on by the transport. */
export function forwardRoutes(services: readonly DescService[], transport: Transport): (router: ConnectRouter) => void {
  return (router) => {
    for (const { methods } of services) {
      for (const method of methods) router.rpc(method, forward(method, transport) as MethodImpl<DescMethod>);
    }
  };
}

function forward(method: DescMethod, transport: Transport) {
  if (isUnary(method)) {
    return (message: Message, context: HandlerContext) => callUnary(method, transport, message, context);
  }
  const stream = method as DescMethodStreaming;
  switch (method.methodKind) {
    case "server_streaming":
      return (message: Message, context: HandlerContext) => callStream(stream, transport, once(message), context);
    case "client_streaming":
      return (messages: AsyncIterable<Message>, context: HandlerContext) =>
        takeOnly(method, callStream(stream, transport, messages, context));
    default:
      return (messages: AsyncIterable<Message>, context: HandlerContext) =>
        callStream(stream, transport, messages, context);
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

async function callUnary(method: DescMethodUnary, transport: Transport, message: Message, context: HandlerContext) {
  try {
    const headers = passRequestHeaders(context);
    const reply = await transport.unary(method, context.signal, timeoutOf(context), headers, message);
    passMetadata(reply.header, context.responseHeader);
    passMetadata(reply.trailer, context.responseTrailer);
    return reply.message;
  } catch (reason) {
    throw passError(reason);
  }
}

async function* callStream(
  method: DescMethodStreaming,
  transport: Transport,
  messages: AsyncIterable<Message>,
  context: HandlerContext,
) {
  try {
    const headers = passRequestHeaders(context);
    const replies = await transport.stream(method, context.signal, timeoutOf(context), headers, messages);
    passMetadata(replies.header, context.responseHeader);
    yield* replies.message;
    passMetadata(replies.trailer, context.responseTrailer);
  } catch (reason) {
    throw passError(reason);
  }
}

/** What is left of the caller's time, in milliseconds. 0 would be no deadline. */
function timeoutOf(context: HandlerContext): number | undefined {
  const left = context.timeoutMs();
  return left === undefined ? undefined : Math.max(1, Math.ceil(left));
}

async function* once(message: Message) {
  yield message;
}

async function takeOnly({ name }: DescMethod, replies: AsyncIterable<Message>): Promise<Message> {
  let only: Message | undefined;
  for await (const reply of replies) {
    if (only !== undefined) throw new ConnectError(`${name}: expected one reply, found more`, Code.Unimplemented);
    only = reply;
  }
  if (only === undefined) throw new ConnectError(`${name}: expected one reply, found none`, Code.Unimplemented);
  return only;
}
