// What calls in envelopes share, and what the head of their requests says.
import type { CallHead, CallSetup } from "../call/call.js";
import type { Method } from "../call/method.js";
import { readTimeout } from "../call/timeout.js";
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
import { PreparedHead } from "../http/prepared-head.js";
import type { MessageCodec } from "./codec.js";
import type { Negotiated, Negotiator } from "./compression.js";
import { checkVersionHeader } from "./connect-version.js";
import type { Codec, Format } from "./format.js";
import type { EnvelopeWire } from "./wire.js";

/** What calls of one method over one protocol in envelopes share. */
export interface EnvelopeSetup<M extends Method = Method> extends CallSetup {
  readonly method: M;
  readonly wire: EnvelopeWire;
  readonly codecs: Record<Codec, MessageCodec>;
  readonly negotiate: Negotiator;
  /** Format → name of the compression → head of responses that no handler has touched. */
  readonly heads: Map<Format, Map<string, PreparedHead>>;
}

/** What the head of a request in envelopes says of its call. */
export interface EnvelopeHead extends CallHead {
  readonly compression: Negotiated;
  /** The head of the response, if no handler touches it. */
  readonly response: PreparedHead;
}

/** Reads deadline, compression and Connect's version. */
export function readEnvelopeHead(setup: EnvelopeSetup, format: Format, { headers }: Exchange): EnvelopeHead {
  const { wire, method } = setup;
  const compression = setup.negotiate(
    header(headers, wire.encodingHeader),
    header(headers, wire.acceptEncodingHeader.toLowerCase()),
  );
  const timeout = readTimeout(wire.protocol, headers, method.options.maxTimeoutMs);
  const version = wire.protocol === "connect" ? checkVersionHeader(headers, method.options) : undefined;
  const response = prepareResponse(setup, format, compression);
  return {
    protocol: wire.protocol,
    timeout,
    problem: version ?? compression.error ?? timeout.error,
    responseHeader: response.headers,
    responseTrailer: wire.initialTrailer,
    compression,
    response,
  };
}

function prepareResponse({ heads, wire }: EnvelopeSetup, format: Format, { response }: Negotiated): PreparedHead {
  const key = response === null ? "" : response.name;
  const byFormat = heads.get(format) ?? new Map<string, PreparedHead>();
  heads.set(format, byFormat);
  const known = byFormat.get(key);
  if (known !== undefined) return known;
  const contentType = { "content-type": format.contentType };
  const headers = response === null ? contentType : { ...contentType, [wire.encodingHeader]: response.name };
  const head = new PreparedHead(200, headers);
  byFormat.set(key, head);
  return head;
}
