// Every misbehaviour, and what a caller is to see of it.

import { rudeInterceptors } from "../support/process/rude-interceptors.js";
import { rudeStreams } from "../support/process/rude-streams.js";
import { rudeUnary } from "../support/process/rude-unary.js";
import type { RudeCall } from "./misbehaviour.js";

const ok = /^0$/;
const invalidArgument = /^3$/;
const deadlineExceeded = /^4$/;
const unknown = /^2$/;
/** Where the rule that is broken is the application's own affair: any end will do, as long as there is one. */
const anyEnd = /^(?!nothing)/;

const unaryOutcomes: Readonly<Record<string, RegExp>> = {
  "throws a frozen ConnectError": invalidArgument,
  "rejects after the deadline": deadlineExceeded,
  "never settles": deadlineExceeded,
  // What is no message is read as the fields of one, and has none of them.
  "returns undefined": ok,
  "returns a number": ok,
  "returns a string": ok,
  "returns an array": ok,
  "returns a function": ok,
  "returns a symbol": ok,
  // protobuf-es writes these as JSON, and our own writer does not.
  "returns a number out of range": /^(0|13)$/,
  "returns a lone surrogate": /^(0|13)$/,
  "returns a thenable that resolves at once": ok,
  "fails with a code that is none": unknown,
  "fails with a code that is a text": unknown,
  "fails with a negative code": unknown,
  "fails with code 0": unknown,
  // Connect's own check takes an error without a text for another one.
  "fails without a message": /^(3|13)$/,
  "fails without metadata": invalidArgument,
  "fails without details": invalidArgument,
  "fails with details that are none": invalidArgument,
  "fails with details that cannot be serialised": invalidArgument,
  "fails with metadata of 1 MB": invalidArgument,
  "fails with header of 1 MB": invalidArgument,
  "listens to the signal and throws": ok,
  "fails with control characters": invalidArgument,
  "fails with a lone surrogate": invalidArgument,
  "fails with a message of 1 MB": invalidArgument,
  "fails with metadata in Latin-1": invalidArgument,
  "sets header in Latin-1": ok,
  "sets header with a line feed": /^13$/,
  "sets header with a control character": /^13$/,
  "sets header of 1 MB": /^13$/,
  // With gRPC-Web trailers are a part of the body.
  "sets trailer of 1 MB": /^(0|13)$/,
  "sets trailer in Latin-1": ok,
  "sets headers after its response": ok,
};

/** Headers that belong to HTTP or to the protocol: what comes of them differs, but something does. */
function unaryOutcome(name: string): RegExp | undefined {
  return unaryOutcomes[name] ?? (/^(sets|fails with metadata)/.test(name) ? anyEnd : undefined);
}

const streamOutcomes: Readonly<Record<string, RegExp>> = {
  // As an iterable of replies, which it is.
  "returns an array": /^(0|13)$/,
  "returns a promise": /^(4|13)$/,
  "yields a number": ok,
  "yields undefined": ok,
  "never yields": deadlineExceeded,
  "yields for ever": deadlineExceeded,
  // The client may lose what it has not read by then.
  "yields for ever without a pause": /^(?:4|cut)$/,
  "goes on after the client has left": deadlineExceeded,
  "throws in finally": deadlineExceeded,
  "never leaves finally": deadlineExceeded,
  "has an iterator whose next returns at once": /^(0|13)$/,
  "has an iterator whose return returns at once": /^(4|13)$/,
  "has an iterator whose return returns null": /^(4|13)$/,
  "has an iterator whose return throws": /^(4|13)$/,
  "has an iterator whose return rejects": deadlineExceeded,
  "has an iterator whose return never settles": deadlineExceeded,
  "sets headers after its first reply": ok,
  "sets trailer connection": anyEnd,
  // Over Connect and gRPC-Web trailers are a part of the body.
  "sets trailer of 1 MB": /^(0|13|unclear)$/,
  "fails with details that cannot be serialised": invalidArgument,
  "listens to the signal and throws": ok,
};

const interceptorOutcomes: Readonly<Record<string, RegExp>> = {
  "never settles": deadlineExceeded,
  "returns a response without a message": /^(0|13)$/,
  "returns a response with header connection": anyEnd,
  "returns a response with trailer connection": anyEnd,
  // A server stream has one request, which the first of the two calls takes.
  "calls next twice": /^(0|12)$/,
  "takes the signal away": ok,
  "takes the headers away": ok,
};

export const unaryCalls: readonly RudeCall[] = Object.keys(rudeUnary).map(
  (handler): RudeCall => ({ method: "Unary", handler, outcome: unaryOutcome(handler) }),
);
export const streamCalls: readonly RudeCall[] = Object.keys(rudeStreams).map(
  (handler): RudeCall => ({ method: "ServerStream", handler, outcome: streamOutcomes[handler] }),
);
/** Calls whose replies a rude compression has to compress. */
export const compressedCalls: readonly RudeCall[] = ["throws", "rejects", "nothing"].flatMap((accepts) =>
  (["Unary", "ServerStream"] as const).map((method): RudeCall => ({ method, handler: "yields undefined", accepts })),
);
export const interceptorCalls: readonly RudeCall[] = Object.keys(rudeInterceptors).flatMap((interceptor) =>
  (["Unary", "ServerStream"] as const).map(
    (method): RudeCall => ({ method, interceptor, outcome: interceptorOutcomes[interceptor] }),
  ),
);
