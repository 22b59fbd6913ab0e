// A service that tells in its replies what its handlers see of a call, so that two lanes can be compared in that as well.
import { setTimeout as delay } from "node:timers/promises";
import { ConnectError, type HandlerContext, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import type { Failure, TestRequest, TestService } from "../../gen/manywire/test/v1/test_pb.js";

/** What spoilt bytes may ask for: not days of waiting, nor replies without an end. */
const mostWaitMs = 1000;
const mostReplies = 100;

/**
 * Replies with what the request asks for, and with the context of the call if its text begins with "see". Request headers
 * `x-echo…` come back as headers, `x-echo-trailer…` as trailers, `x-fail-…` as metadata of the failure.
 */
export function createSeeingService(): Omit<ServiceImpl<typeof TestService>, "missing"> {
  return {
    unary: answer,
    get: answer,
    async *serverStream(request, context) {
      echo(context);
      for (let index = 0; index < Math.min(request.count, mostReplies); index++)
        yield await reply(request, index, context);
      if (request.failure !== undefined) throw toError(request.failure, context);
    },
    async clientStream(requests, context) {
      echo(context);
      const texts: string[] = [];
      for await (const request of requests) {
        await reply(request, texts.length, context);
        texts.push(request.text);
      }
      return { text: texts.join(), index: texts.length };
    },
    async *bidiStream(requests, context) {
      echo(context);
      let index = 0;
      for await (const request of requests) yield await reply(request, index++, context);
    },
  };
}

/** Sees and changes what interceptors can see and change. */
export const interceptors: Interceptor[] = [
  (next) => async (request) => {
    request.header.set("x-intercepted", `${request.method.name} ${request.stream}`);
    const response = await next(request);
    response.header.set("x-interceptor", "outer");
    response.trailer.append("x-interceptor-trailer", "outer");
    return response;
  },
  (next) => (request) => next(request),
];

function answer(request: TestRequest, context: HandlerContext) {
  echo(context);
  return reply(request, 0, context);
}

type Reply = { text: string; data: Uint8Array; index: number };

function reply(request: TestRequest, index: number, context: HandlerContext): Reply | Promise<Reply> {
  const { waitMs, failure, replyBytes, data } = request;
  if (waitMs > 0)
    return delay(Math.min(waitMs, mostWaitMs)).then(() => reply({ ...request, waitMs: 0 }, index, context));
  if (failure !== undefined && index >= failure.after) throw toError(failure, context);
  const text = request.text.startsWith("see") ? view(context) : request.text;
  return { text, data: replyBytes > 0 ? new Uint8Array(replyBytes) : data, index };
}

/** The context as text. Deadlines are rounded, because time passes. */
function view(context: HandlerContext): string {
  const timeoutMs = context.timeoutMs();
  return JSON.stringify({
    method: `${context.service.typeName}/${context.method.name}`,
    protocol: context.protocolName,
    verb: context.requestMethod,
    url: context.url,
    headers: [...context.requestHeader],
    timeout: timeoutMs === undefined ? "none" : Math.round(timeoutMs / 10_000),
    isAborted: context.signal.aborted,
    // Connect's handler does not know of base64, so its content type is another.
    responseHeaders: [...context.responseHeader].filter(([name]) => name !== "content-type"),
    trailers: [...context.responseTrailer],
  });
}

function toError({ code, message, reason }: Failure, { requestHeader }: HandlerContext): Error {
  if (code === 0) return new Error(message);
  const metadata = pick(requestHeader, "x-fail-").map(([name, value]): [string, string] => [name.slice(7), value]);
  const error = new ConnectError(message, code, metadata);
  if (reason !== "") error.details.push({ desc: ErrorInfoSchema, value: { reason, domain: "manywire.test" } });
  return error;
}

function echo({ requestHeader, responseHeader, responseTrailer }: HandlerContext): void {
  for (const [name, value] of pick(requestHeader, "x-echo")) {
    if (name.startsWith("x-echo-trailer")) responseTrailer.append(name, value);
    else responseHeader.append(name, value);
  }
}

function pick(headers: Headers, prefix: string): [string, string][] {
  return [...headers].filter(([name]) => name.startsWith(prefix));
}
