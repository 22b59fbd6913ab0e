// The suite's ConformanceService: every request says what to respond, and the response says what was received.
// docs/testing_servers.md, "Endpoints", of connectrpc.com/conformance v1.0.5.

import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  ConformancePayloadSchema,
  ConformanceService,
  IdempotentUnaryRequestSchema,
  ConformancePayload_RequestInfoSchema as RequestInfoSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
} from "../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js";
import { appendHeaders, formatHeaders, parseError } from "./messages.js";

/** @typedef {import("@bufbuild/protobuf/wkt").Any} Any */
/** @typedef {import("@connectrpc/connect").HandlerContext} HandlerContext */
/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js").UnaryResponseDefinition} UnaryDefinition */
/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js").StreamResponseDefinition} StreamDefinition */
/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js").ConformancePayload_RequestInfo} RequestInfo */

// Delays ignore the signal on purpose: a deadline must end the call even when the handler does not care.
// `unimplemented` is left out on purpose: the server has to say so itself.
/** @type {Partial<import("@connectrpc/connect").ServiceImpl<typeof ConformanceService>>} */
const implementation = {
  unary: (request, context) => answer(request.responseDefinition, [anyPack(UnaryRequestSchema, request)], context),

  idempotentUnary: (request, context) =>
    answer(request.responseDefinition, [anyPack(IdempotentUnaryRequestSchema, request)], context),

  async clientStream(requests, context) {
    const received = [];
    let definition;
    for await (const request of requests) {
      definition = received.length === 0 ? request.responseDefinition : definition;
      received.push(anyPack(ClientStreamRequestSchema, request));
    }
    return answer(definition, received, context);
  },

  async *serverStream(request, context) {
    const definition = request.responseDefinition;
    setMetadata(context, definition);
    const info = describeCall(context, [anyPack(ServerStreamRequestSchema, request)]);
    yield* remainingAnswers(definition, 0, info);
  },

  async *bidiStream(requests, context) {
    /** @type {Any[]} */
    let received = [];
    /** @type {StreamDefinition | undefined} */
    let definition;
    let isFullDuplex = false;
    let isFirst = true;
    let sent = 0;
    for await (const request of requests) {
      if (isFirst) {
        isFirst = false;
        isFullDuplex = request.fullDuplex;
        definition = request.responseDefinition;
        setMetadata(context, definition);
      }
      received.push(anyPack(BidiStreamRequestSchema, request));
      if (isFullDuplex) {
        if (sent >= (definition?.responseData.length ?? 0)) {
          break;
        }
        const info = sent === 0 ? describeCall(context, received) : create(RequestInfoSchema, { requests: received });
        await delay(definition?.responseDelayMs);
        yield formatAnswer(definition?.responseData[sent], info);
        sent++;
        received = [];
      }
    }
    yield* remainingAnswers(definition, sent, describeCall(context, received));
  },
};

/** @param {import("@connectrpc/connect").ConnectRouter} router */
export function routes(router) {
  router.service(ConformanceService, implementation);
}

/**
 * Responds with one message.
 * @param {UnaryDefinition | undefined} definition
 * @param {Any[]} requests
 * @param {HandlerContext} context
 */
async function answer(definition, requests, context) {
  setMetadata(context, definition);
  const requestInfo = describeCall(context, requests);
  await delay(definition?.responseDelayMs);
  if (definition?.response.case === "error") {
    throw parseError(withDetail(definition.response.value, requestInfo));
  }
  return formatAnswer(definition?.response.value, requestInfo);
}

/**
 * Responds with the messages of the definition from `sent` on, then with its error.
 * @param {StreamDefinition | undefined} definition
 * @param {number} sent how many of them have been sent
 * @param {RequestInfo} requestInfo goes with the first response, be it a message or an error
 */
async function* remainingAnswers(definition, sent, requestInfo) {
  const { responseData = [], responseDelayMs, error } = definition ?? {};
  for (const [index, data] of responseData.entries()) {
    if (index >= sent) {
      await delay(responseDelayMs);
      yield formatAnswer(data, index === 0 ? requestInfo : undefined);
    }
  }
  if (error) {
    throw parseError(responseData.length === 0 ? withDetail(error, requestInfo) : error);
  }
}

/**
 * @param {Uint8Array} [data]
 * @param {RequestInfo} [requestInfo]
 */
function formatAnswer(data, requestInfo) {
  const payload = create(ConformancePayloadSchema, { ...(data && { data }), ...(requestInfo && { requestInfo }) });
  return { payload };
}

/**
 * @param {HandlerContext} context
 * @param {UnaryDefinition | StreamDefinition} [definition]
 */
function setMetadata(context, definition) {
  appendHeaders(context.responseHeader, definition?.responseHeaders);
  appendHeaders(context.responseTrailer, definition?.responseTrailers);
}

/**
 * @param {HandlerContext} context
 * @param {Any[]} requests
 */
function describeCall(context, requests) {
  const timeoutMs = context.timeoutMs();
  return create(RequestInfoSchema, {
    requestHeaders: formatHeaders(context.requestHeader),
    requests,
    ...(timeoutMs === undefined ? {} : { timeoutMs: BigInt(Math.round(timeoutMs)) }),
    ...(context.requestMethod === "GET"
      ? { connectGetInfo: { queryParams: formatHeaders(new URL(context.url).searchParams) } }
      : {}),
  });
}

/**
 * @param {import("./messages.js").ErrorMessage} error
 * @param {RequestInfo} requestInfo
 */
function withDetail(error, requestInfo) {
  return { ...error, details: [...error.details, anyPack(RequestInfoSchema, requestInfo)] };
}
