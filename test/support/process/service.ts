// A test service whose handlers misbehave if a request's text names a misbehaviour, and which is plain and quick otherwise.
import { setTimeout as delay } from "node:timers/promises";
import type { HandlerContext, Interceptor, ServiceImpl } from "@connectrpc/connect";
import type { BulkService } from "../../gen/manywire/test/limits/v1/bulk_pb.js";
import type { TestRequest, TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { rudeInterceptors } from "./rude-interceptors.js";
import { rudeStreams } from "./rude-streams.js";
import { rudeUnary } from "./rude-unary.js";

const counts = { calls: 0, running: 0 };

/** How many handlers were called, and how many of them have not come to their end. */
export function countsOf(): Readonly<typeof counts> {
  return { ...counts };
}

export function createRudeService(): Omit<ServiceImpl<typeof TestService>, "missing"> {
  const unary = (request: TestRequest, context: HandlerContext) => {
    const rude = rudeUnary[request.text];
    return rude === undefined ? count(() => answer(request, context)) : (rude(context) as never);
  };
  return {
    unary,
    get: unary,
    serverStream(request, context) {
      const rude = rudeStreams[request.text];
      return rude === undefined ? countEach(answerOften(request, context)) : (rude(context) as never);
    },
    clientStream: async (requests) => count(() => countRequests(requests)),
    bidiStream: (requests, context) => countEach(answerEach(requests, context)),
  };
}

/** The service for streams of bytes: it counts what it is sent, or returns it. */
export function createBytesService() {
  return {
    upload: async (pieces: AsyncIterable<unknown>) => count(async () => ({ name: `${await countAll(pieces)}` })),
    pass: (pieces: AsyncIterable<object>) => countEach(pieces),
  };
}

/** Takes messages, and says how many. */
export function createBulkService(): Omit<ServiceImpl<typeof BulkService>, "takeForm" | "takeEachForm"> {
  return {
    take: () => count(() => ({ count: 1 })),
    takeEach: async (messages) => count(async () => ({ count: await countAll(messages) })),
  };
}

/** Random requests ask for gigabytes. */
const mostBytes = 16 * 1024 * 1024;

type Reply = { text: string; data: Uint8Array; index: number };

function answer({ text, data, replyBytes, waitMs }: TestRequest, { signal }: HandlerContext): Reply | Promise<Reply> {
  const reply = { text, data: replyBytes > 0 ? new Uint8Array(Math.min(replyBytes, mostBytes)) : data, index: 0 };
  if (waitMs === 0) return reply;
  return delay(waitMs, reply, { signal }).catch(() => {
    throw signal.reason;
  });
}

async function* answerOften(request: TestRequest, context: HandlerContext) {
  for (let index = 0; index < request.count; index++) yield { ...(await answer(request, context)), index };
}

async function* answerEach(requests: AsyncIterable<TestRequest>, context: HandlerContext) {
  for await (const request of requests) yield await answer(request, context);
}

async function countRequests(requests: AsyncIterable<TestRequest>) {
  return { index: await countAll(requests) };
}

async function countAll(messages: AsyncIterable<unknown>): Promise<number> {
  let all = 0;
  for await (const _ of messages) all++;
  return all;
}

function count<T>(work: () => T | Promise<T>): T | Promise<T> {
  counts.calls++;
  const value = work();
  if (!(value instanceof Promise)) return value;
  counts.running++;
  return value.finally(() => {
    counts.running--;
  });
}

async function* countEach<T>(values: AsyncIterable<T>): AsyncGenerator<T> {
  counts.calls++;
  counts.running++;
  try {
    yield* values;
  } finally {
    counts.running--;
  }
}

/** Does what the request header `x-rude` names. */
export const rudeInterceptor: Interceptor = (next) => (request) => {
  const rude = rudeInterceptors[request.header.get("x-rude") ?? ""];
  return rude === undefined ? next(request) : (rude(next)(request) as never);
};
