// Forwards calls to another server: the implementations of methods that are served elsewhere.
import type { DescMethod, DescMethodStreaming, DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type MethodImpl,
  type StreamResponse,
} from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { isPlain } from "../../client/call-settings.js";
import { toHeaders } from "../../client/http2/request-fields.js";
import { type ForwardEnd, observedCall } from "../call/observer.js";
import { announce } from "./announce.js";
import type { Channel, ForwardTarget } from "./channel.js";
import { timeLeftMs } from "./deadline.js";
import { passError, passMetadata, passRequestFields } from "./metadata.js";
import { type CallUnary, createUnary } from "./unary.js";

/** Registers the methods of services, whose calls go on to the target. */
export function forwardRoutes(
  services: readonly DescService[],
  target: ForwardTarget,
): (router: ConnectRouter) => void {
  return (router) => {
    for (const { methods } of services) {
      for (const method of methods) router.rpc(method, forward(method, target) as MethodImpl<DescMethod>);
    }
  };
}

function forward(method: DescMethod, target: ForwardTarget) {
  if (isUnary(method)) return forwardUnary(method, target);
  const stream = method as DescMethodStreaming;
  switch (method.methodKind) {
    case "server_streaming":
      return (message: Message, context: HandlerContext) =>
        callStream(stream, target, createAsyncIterable([message]), context);
    case "client_streaming":
      return (messages: AsyncIterable<Message>, context: HandlerContext) =>
        takeOnly(method, callStream(stream, target, messages, context));
    default:
      return (messages: AsyncIterable<Message>, context: HandlerContext) =>
        callStream(stream, target, messages, context);
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function forwardUnary(method: DescMethodUnary, target: ForwardTarget): CallUnary {
  const settings = target.channel.settingsOf(method);
  if (!isPlain(settings)) return (message, context) => callWithSettings(method, target, message, context);
  // Most methods of a large schema are never called.
  let call: CallUnary | undefined;
  return (message, context) => {
    call ??= createUnary(method, target, settings.waits(undefined));
    return call(message, context);
  };
}

/** Makes a call that may be sent again, or that has a deadline of the service config. */
async function callWithSettings(
  method: DescMethodUnary,
  { channel }: ForwardTarget,
  message: Message,
  context: HandlerContext,
) {
  const [headers, onEnd] = announceMessages(context, channel);
  let outcome: ConnectError | undefined;
  try {
    const reply = await channel.messages.unary(method, context.signal, timeLeftMs(context), headers, message);
    channel.encodings.learn(reply.header.get("grpc-accept-encoding"));
    passMetadata(reply.header, context.responseHeader);
    passMetadata(reply.trailer, context.responseTrailer);
    return reply.message;
  } catch (reason) {
    outcome = toFailure(reason, channel);
    throw outcome;
  } finally {
    onEnd?.(outcome);
  }
}

async function* callStream(
  method: DescMethodStreaming,
  { channel }: ForwardTarget,
  messages: AsyncIterable<Message>,
  context: HandlerContext,
) {
  let replies: StreamResponse | undefined;
  const [headers, onEnd] = announceMessages(context, channel);
  let outcome: { readonly error: ConnectError | undefined } | undefined;
  try {
    replies = await channel.messages.stream(method, context.signal, timeLeftMs(context), headers, messages);
    channel.encodings.learn(replies.header.get("grpc-accept-encoding"));
    passMetadata(replies.header, context.responseHeader);
    yield* replies.message;
    passMetadata(replies.trailer, context.responseTrailer);
    outcome = { error: undefined };
  } catch (reason) {
    // The metadata of the error has the headers, too, which have been passed.
    const error = toFailure(reason, channel, replies?.trailer);
    outcome = { error };
    throw error;
  } finally {
    // A call that has ended before its stream reads no more of it.
    const { error } = outcome ?? { error: ConnectError.from(context.signal.reason, Code.Canceled) };
    onEnd?.(error);
  }
}

/** Tells observers that the call goes on. Returns the headers of its request, and what to call at its end. */
function announceMessages(
  context: HandlerContext,
  { baseUrl }: Channel,
): [headers: Headers, onEnd: ForwardEnd | undefined] {
  const [fields, onEnd] = announce(context.values.get(observedCall), baseUrl, passRequestFields(context));
  return [toHeaders(fields), onEnd];
}

function toFailure(reason: unknown, { onUnimplemented }: ForwardTarget["channel"], trailers?: Headers): ConnectError {
  const error = passError(reason, trailers);
  if (error.code === Code.Unimplemented) onUnimplemented();
  return error;
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
