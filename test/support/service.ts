// The test service: does what its requests say. test/proto/manywire/test/v1/test.proto tells what they can say.
import { setTimeout as delay } from "node:timers/promises";
import { ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import type { Failure, TestRequest, TestService } from "../gen/manywire/test/v1/test_pb.js";
import type { SeenCalls } from "./seen-calls.js";

type Requests = AsyncIterable<TestRequest>;
type Reply = { text: string; data: Uint8Array; index: number };

/** Every method but `Missing`. */
export type TestServiceImpl = Omit<ServiceImpl<typeof TestService>, "missing">;

/**
 * What a test can have besides what the proto file says: a request header `x-echo…` comes back as response header,
 * `x-echo-trailer…` as trailer, and `x-fail-…` as metadata of the failure, there without the prefix; all of them also
 * ending in `-bin`. `seen` learns how each handler begins and ends.
 */
export function createTestService(seen: SeenCalls): TestServiceImpl {
  const unary = (request: TestRequest, context: HandlerContext) => {
    echoMetadata(context);
    return seen.watch(request.text, context, () => answer(request, 0, context, seen));
  };
  return {
    unary,
    get: unary,
    serverStream(request, context) {
      echoMetadata(context);
      return seen.watchEach(request.text, context, answerOften(request, context, seen));
    },
    async clientStream(requests, context) {
      echoMetadata(context);
      const { first, all } = await peek(requests);
      return seen.watch(first, context, () => joinTexts(all, context, seen));
    },
    async *bidiStream(requests, context) {
      echoMetadata(context);
      const { first, all } = await peek(requests);
      yield* seen.watchEach(first, context, answerEach(all, context, seen));
    },
  };
}

/** Without a wait it returns the response itself, not a promise, like the simplest handlers. */
function answer(request: TestRequest, index: number, context: HandlerContext, seen: SeenCalls): Reply | Promise<Reply> {
  const gate = seen.gate(request.text, index) ?? (request.waitMs > 0 ? wait(request, context) : undefined);
  if (gate !== undefined) return gate.then(() => toReply(request, index, context));
  return toReply(request, index, context);
}

async function* answerOften(request: TestRequest, context: HandlerContext, seen: SeenCalls) {
  for (let index = 0; index < request.count; index++) yield await answer(request, index, context, seen);
  if (request.failure !== undefined) throw toError(request.failure, context);
}

async function joinTexts(requests: Requests, context: HandlerContext, seen: SeenCalls) {
  const texts: string[] = [];
  for await (const request of requests) {
    await answer(request, texts.length, context, seen);
    texts.push(request.text);
  }
  return { text: texts.join(","), index: texts.length };
}

async function* answerEach(requests: Requests, context: HandlerContext, seen: SeenCalls) {
  let index = 0;
  for await (const request of requests) yield await answer(request, index++, context, seen);
}

/** The text of the first request (empty without one), and all requests. */
async function peek(requests: Requests): Promise<{ first: string; all: Requests }> {
  const iterator = requests[Symbol.asyncIterator]();
  const { done, value } = await iterator.next();
  async function* all() {
    if (done === true) return;
    yield value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { first: value?.text ?? "", all: all() };
}

function toReply({ failure, replyBytes, text, data }: TestRequest, index: number, context: HandlerContext): Reply {
  if (failure !== undefined && index >= failure.after) throw toError(failure, context);
  return { text, data: replyBytes > 0 ? new Uint8Array(replyBytes) : data, index };
}

/** Asks for the signal only where it is heeded: a context makes it on first use. */
async function wait({ waitMs, ignoreSignal }: TestRequest, context: HandlerContext): Promise<void> {
  if (ignoreSignal) {
    await delay(waitMs);
    return;
  }
  const { signal } = context;
  await delay(waitMs, undefined, { signal }).catch(() => {
    throw signal.reason;
  });
}

function toError({ code, message, reason }: Failure, { requestHeader }: HandlerContext): Error {
  if (code === 0) return new Error(message);
  const error = new ConnectError(message, code, pick(requestHeader, "x-fail-", ""));
  if (reason !== "") error.details.push({ desc: ErrorInfoSchema, value: { reason, domain: "manywire.test" } });
  return error;
}

/** Leaves headers and trailers untouched where there is nothing to echo, as handlers do that set none. */
function echoMetadata({ requestHeader, responseHeader, responseTrailer }: HandlerContext): void {
  for (const [name, value] of pick(requestHeader, "x-echo", "x-echo")) {
    if (name.startsWith("x-echo-trailer")) responseTrailer.append(name, value);
    else responseHeader.append(name, value);
  }
}

/** The headers whose name starts with `prefix`, with `replacement` in its place. */
function pick(headers: Headers, prefix: string, replacement: string): [string, string][] {
  return [...headers]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [replacement + name.slice(prefix.length), value]);
}
