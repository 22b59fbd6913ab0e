// Calls the implementation of a method, with its interceptors around it, as Connect does.
import type { DescMessage, DescMethod, DescService, Message, MessageInitShape } from "@bufbuild/protobuf";
import type {
  ContextValues,
  HandlerContext,
  Interceptor,
  MethodImplSpec,
  StreamRequest,
  UnaryRequest,
} from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { messageMaker } from "../codec/create-message.js";
import { CallContext, ownSignal } from "./context.js";
import { guardMessages } from "./error-boundary.js";
import {
  kindName,
  type Method,
  type StreamMethod,
  type StreamSpec,
  type UnaryMethod,
  type UnarySpec,
} from "./method.js";

type Next = ReturnType<Interceptor>;
type Init = MessageInitShape<DescMessage>;

/** The response of a streaming method. */
export interface ReplyStream {
  /** The replies, each a message or what a message is made from. */
  readonly messages: AsyncIterable<Init>;
  /** Call after the last reply: copies trailers that an interceptor replaced into the context. */
  readonly end: () => void;
}

const noEnd = (): void => {};

/** Calls a unary method. Returns synchronously if there are no interceptors and the handler does. Throws what it throws. */
export function invokeUnary(
  { spec, interceptors, upstream }: UnaryMethod,
  input: Message,
  context: HandlerContext,
): Message | Promise<Message> {
  if (interceptors.length > 0) return interceptUnary(spec, interceptors, input, context);
  // What forwards a call is not the application, and needs no property of its own.
  const output = spec.impl(input, upstream === undefined ? giveSignal(context) : context);
  const make = messageMaker(spec.method.output);
  return isPromise(output) ? output.then(make) : make(output);
}

/**
 * Calls a method of any streaming kind.
 *
 * @throws ConnectError `unimplemented` if a server-streaming method got no request, or more than one.
 */
export async function invokeStream(
  { spec, interceptors }: StreamMethod,
  input: AsyncIterable<Message>,
  context: HandlerContext,
): Promise<ReplyStream> {
  if (interceptors.length > 0) return interceptStream(spec, interceptors, input, context);
  return { messages: await callStream(spec, input, context), end: noEnd };
}

/** Takes the one message of a request that must have exactly one. */
export async function takeSingle(input: AsyncIterable<Message>, kind: "unary" | "server_streaming"): Promise<Message> {
  const iterator = input[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw missingInput(kind);
  if ((await iterator.next()).done !== true) throw extraInput(kind);
  return first.value;
}

/** The error of a request without the one message that it must have. */
export function missingInput(kind: Method["kind"]): ConnectError {
  return new ConnectError(`protocol error: missing input message for ${kindName(kind)} method`, Code.Unimplemented);
}

/** The error of a request with more than one message where it must have one. */
export function extraInput(kind: Method["kind"]): ConnectError {
  return new ConnectError(
    `protocol error: received extra input message for ${kindName(kind)} method`,
    Code.Unimplemented,
  );
}

/** Whether a value is yet to come. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}

/** Closes a response iterator that is no longer consumed, so its `finally` blocks run. Errors are ignored. */
export function leave(replies: AsyncIterator<unknown> | undefined): void {
  try {
    const left: unknown = replies?.return?.();
    if (isPromise(left)) left.then(undefined, () => {});
  } catch {
    // A custom iterator may throw in `return`. The call has ended, so the error has no use.
  }
}

async function callStream(
  spec: StreamSpec,
  input: AsyncIterable<Message>,
  context: HandlerContext,
): Promise<AsyncIterable<Init>> {
  giveSignal(context);
  switch (spec.kind) {
    case "server_streaming":
      return spec.impl(await takeSingle(input, "server_streaming"), context);
    case "client_streaming":
      return once(await spec.impl(input, context));
    case "bidi_streaming":
      return spec.impl(input, context);
  }
}

async function interceptUnary(
  spec: UnarySpec,
  interceptors: Interceptor[],
  message: Message,
  context: HandlerContext,
): Promise<Message> {
  const make = messageMaker(spec.method.output);
  const call = async (request: UnaryRequest) => ({
    stream: false as const,
    message: make(await spec.impl(request.message, giveSignal(withRequest(context, request)))),
    ...responseCommon(spec, context),
  });
  const next = wrap(call as Next, interceptors);
  const response = await next(toRequest<UnaryRequest>(spec, message, context));
  copyHeaders(response.header, context.responseHeader);
  copyHeaders(response.trailer, context.responseTrailer);
  return response.message as Message;
}

async function interceptStream(
  spec: StreamSpec,
  interceptors: Interceptor[],
  message: AsyncIterable<Message>,
  context: HandlerContext,
): Promise<ReplyStream> {
  const call = async (request: StreamRequest) => ({
    stream: true as const,
    message: createEach(spec.method.output, await callStream(spec, request.message, withRequest(context, request))),
    ...responseCommon(spec, context),
  });
  const next = wrap(call as Next, interceptors);
  const response = await next(toRequest<StreamRequest>(spec, guardMessages(message), context));
  copyHeaders(response.header, context.responseHeader);
  return {
    messages: response.message as AsyncIterable<Message>,
    end: () => copyHeaders(response.trailer, context.responseTrailer),
  };
}

/** The first interceptor is the outermost. Wrapped for every call, because only the closure `next` knows which call it is. */
function wrap(next: Next, interceptors: Interceptor[]): Next {
  return interceptors.reduceRight((inner, interceptor) => interceptor(inner), next);
}

/** What the outermost interceptor gets. `signal` is its own property, as all are, so that a request may be spread. */
class InterceptedRequest {
  readonly stream: boolean;
  readonly message: unknown;
  readonly method: DescMethod;
  readonly service: DescService;
  readonly requestMethod: string;
  readonly url: string;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  declare readonly signal: AbortSignal;
  readonly #context: HandlerContext;

  constructor(spec: MethodImplSpec, message: unknown, context: HandlerContext) {
    this.stream = spec.kind !== "unary";
    this.message = message;
    this.method = spec.method;
    this.service = context.service;
    this.requestMethod = context.requestMethod;
    this.url = context.url;
    this.header = context.requestHeader;
    this.contextValues = context.values;
    this.#context = context;
    ownSignal(this);
  }

  /** The signal of the call, created on first use. */
  openSignal(): AbortSignal {
    return this.#context.signal;
  }
}

function toRequest<Request>(spec: MethodImplSpec, message: unknown, context: HandlerContext): Request {
  return new InterceptedRequest(spec, message, context) as Request;
}

function responseCommon(spec: MethodImplSpec, context: HandlerContext) {
  return {
    service: spec.method.parent,
    method: spec.method,
    header: context.responseHeader,
    trailer: context.responseTrailer,
  };
}

/** Makes a context ready for the application. */
function giveSignal(context: HandlerContext): HandlerContext {
  return context instanceof CallContext ? ownSignal(context) : context;
}

/** The context that the implementation gets: with what interceptors have set instead of the request's own. */
function withRequest(context: HandlerContext, request: UnaryRequest | StreamRequest): HandlerContext {
  const isSame = request instanceof InterceptedRequest;
  if (isSame && request.header === context.requestHeader && request.contextValues === context.values) return context;
  return {
    ...context,
    service: request.service,
    requestHeader: request.header,
    signal: request.signal,
    values: request.contextValues,
  };
}

function copyHeaders(from: Headers, to: Headers): void {
  if (from === to) return;
  for (const name of [...to.keys()]) to.delete(name);
  from.forEach((value, name) => {
    if (name === "set-cookie") to.append(name, value);
    else to.set(name, value);
  });
}

async function* createEach(schema: DescMessage, values: AsyncIterable<Init>): AsyncGenerator<Message> {
  const make = messageMaker(schema);
  for await (const value of values) yield make(value);
}

async function* once(value: Init): AsyncGenerator<Init> {
  yield value;
}
