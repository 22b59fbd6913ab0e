// Makes the one call that a ClientCompatRequest describes, and records what came of it.
// docs/testing_clients.md, "Stream types", of connectrpc.com/conformance v1.0.5.
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient } from "@connectrpc/connect";
import { ClientResponseResultSchema } from "../../../.cache/conformance/gen/connectrpc/conformance/v1/client_compat_pb.js";
import { StreamType } from "../../../.cache/conformance/gen/connectrpc/conformance/v1/config_pb.js";
import {
  ConformancePayloadSchema,
  ConformanceService,
} from "../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js";
import { formatError, formatHeaders, parseHeaders, registry } from "./messages.js";

/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/client_compat_pb.js").ClientCompatRequest} Request */
/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/client_compat_pb.js").ClientResponseResult} Result */
/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js").ConformancePayload} Payload */
/** @typedef {ReturnType<typeof planCancel>} Cancel */
/** @typedef {ReturnType<typeof createTurns>} Turns */

/**
 * @param {import("@connectrpc/connect").Transport} transport
 * @param {Request} request
 * @returns {Promise<Result>} what was received; an error of the call is a part of it
 */
export async function invoke(transport, request) {
  const result = create(ClientResponseResultSchema);
  const cancel = planCancel(request.cancel);
  const turns = createTurns();
  try {
    for await (const { payload } of startCall(transport, request, result, cancel, turns)) {
      result.payloads.push(payload ?? create(ConformancePayloadSchema));
      cancel.onAnswer(result.payloads.length);
      turns.advance();
    }
  } catch (error) {
    recordError(result, ConnectError.from(error));
  } finally {
    turns.end();
  }
  return result;
}

/**
 * @param {import("@connectrpc/connect").Transport} transport
 * @param {Request} request
 * @param {Result} result is given the response's headers and trailers
 * @param {Cancel} cancel
 * @param {Turns} turns
 * @returns {AsyncGenerator<{ payload?: Payload }>} the response's messages
 */
async function* startCall(transport, request, result, cancel, turns) {
  const options = {
    signal: cancel.signal,
    headers: parseHeaders(request.requestHeaders),
    /** @param {Headers} header */
    onHeader(header) {
      result.responseHeaders = formatHeaders(header);
    },
    /** @param {Headers} trailer */
    onTrailer(trailer) {
      result.responseTrailers = formatHeaders(trailer);
    },
  };
  const method = ConformanceService.methods.find(({ name }) => name === request.method);
  if (!method) {
    throw new Error(`method: expected one of ${ConformanceService.typeName}, found ${request.method}`);
  }
  // The method is only known here, and so the types of its messages are not.
  const call = /** @type {any} */ (createClient(ConformanceService, transport))[method.localName];
  const messages = requestMessages(request, cancel, turns);
  switch (method.methodKind) {
    case "unary":
      yield await call(await soleMessage(messages), options);
      break;
    case "client_streaming":
      yield await call(messages, options);
      break;
    case "server_streaming":
      yield* call(await soleMessage(messages), options);
      break;
    case "bidi_streaming":
      yield* call(messages, options);
      break;
  }
}

/**
 * @param {Request} request
 * @param {Cancel} cancel
 * @param {Turns} turns a full-duplex call sends a message after the response to the one before
 */
async function* requestMessages({ requestMessages, requestDelayMs, streamType }, cancel, turns) {
  const isFullDuplex = streamType === StreamType.FULL_DUPLEX_BIDI_STREAM;
  for (const [index, any] of requestMessages.entries()) {
    await delay(requestDelayMs);
    yield anyUnpack(any, registry);
    if (isFullDuplex) {
      await turns.after(index + 1);
    }
  }
  cancel.onAllSent();
}

/** @param {AsyncGenerator<unknown>} messages of a method that takes one: it is as good as sent when it is asked for */
async function soleMessage(messages) {
  const { value } = await messages.next();
  await messages.next();
  return value;
}

/** @param {Request["cancel"]} cancel */
function planCancel(cancel) {
  const controller = new AbortController();
  // client_compat.proto, message Cancel: without any timing, as if after_close_send_ms were present and zero.
  const timing = cancel?.cancelTiming.case
    ? cancel.cancelTiming
    : { case: "afterCloseSendMs", value: cancel ? 0 : NaN };
  return {
    signal: controller.signal,
    onAllSent() {
      if (timing.case === "beforeCloseSend") {
        controller.abort();
      }
      if (timing.case === "afterCloseSendMs" && !Number.isNaN(timing.value)) {
        setTimeout(() => controller.abort(), Number(timing.value));
      }
    },
    /** @param {number} count of the responses so far */
    onAnswer(count) {
      if (timing.case === "afterNumResponses" && timing.value === count) {
        controller.abort();
      }
    },
  };
}

/** Counts responses, and lets the sender wait for them. */
function createTurns() {
  let answers = 0;
  let wake = () => {};
  return {
    advance() {
      answers++;
      wake();
    },
    /** No more responses will arrive: stop waiting. */
    end() {
      answers = Number.POSITIVE_INFINITY;
      wake();
    },
    /** @param {number} count */
    async after(count) {
      while (answers < count) {
        await new Promise((resolve) => {
          wake = () => resolve(undefined);
        });
      }
    },
  };
}

/**
 * The metadata of an error does not tell headers from trailers; the suite takes it as either.
 * @param {Result} result
 * @param {ConnectError} error
 */
function recordError(result, error) {
  const metadata = formatHeaders(error.metadata);
  result.error = formatError(error);
  result.responseHeaders = result.responseHeaders.length === 0 ? metadata : result.responseHeaders;
  result.responseTrailers = metadata;
}
