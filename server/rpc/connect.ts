// Connect: streams in envelopes with a last one of JSON; unary calls as plain bodies with HTTP's own status codes.
// https://connectrpc.com/docs/protocol
import type { OutgoingHttpHeaders } from "node:http";
import type { ConnectError } from "@connectrpc/connect";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
  trailerMux,
} from "@connectrpc/connect/protocol-connect";
import type { CallContext } from "../call/context.js";
import { toNodeHeaders } from "../call/headers.js";
import type { MethodOptions } from "../call/method.js";
import type { Body } from "../listen/exchange.js";
import { encodeEnvelope } from "./envelope.js";
import type { Ending, EnvelopeWire } from "./wire.js";

const ok: Ending = { envelope: encodeEnvelope(endStreamFlag, Buffer.from("{}")) };

/** Connect's streams. */
export const connectStream: EnvelopeWire = {
  protocol: "connect",
  encodingHeader: "connect-content-encoding",
  acceptEncodingHeader: "Connect-Accept-Encoding",
  skippedFlag: endStreamFlag,
  hasTrailers: false,
  initialTrailer: {},
  end({ responseTrailer }, error, { jsonOptions }) {
    if (error === undefined && !responseTrailer.isTouched) return ok;
    const json = endStreamToJson(responseTrailer, error, jsonOptions);
    return { envelope: encodeEnvelope(endStreamFlag, Buffer.from(JSON.stringify(json))) };
  },
};

/** A unary answer: HTTP status, headers (trailers among them, with the prefix `trailer-`) and the whole body. */
export interface UnaryAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Body;
}

/** Connect's unary calls. */
export const connectUnary = {
  encodingHeader: "content-encoding",
  acceptEncodingHeader: "Accept-Encoding",

  /** The answer to a call that went well. */
  message(context: CallContext, contentType: string, body: Body): UnaryAnswer {
    const isPlain = !context.responseHeader.isTouched && !context.responseTrailer.isTouched;
    const headers = isPlain ? { "content-type": contentType } : unaryHeaders(context);
    return { status: 200, headers, body };
  },

  /** The answer to a call that failed: the error as JSON, whatever codec the request had. */
  error(context: CallContext, error: ConnectError, { jsonOptions }: MethodOptions): UnaryAnswer {
    context.responseHeader.set("content-type", "application/json");
    error.metadata.forEach((value, name) => {
      context.responseHeader.append(name, value);
    });
    return {
      status: codeToHttpStatus(error.code),
      headers: unaryHeaders(context),
      body: errorToJsonBytes(error, jsonOptions),
    };
  },
};

function unaryHeaders({ responseHeader, responseTrailer }: CallContext): OutgoingHttpHeaders {
  return toNodeHeaders(trailerMux(responseHeader, responseTrailer));
}
