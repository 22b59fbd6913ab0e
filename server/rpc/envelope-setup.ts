// What calls in envelopes share, and what the head of their requests says.
import type { OutgoingHttpHeaders } from "node:http";
import type { CallHead, CallSetup } from "../call/call.js";
import type { Method } from "../call/method.js";
import { readTimeout } from "../call/timeout.js";
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
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
  /** Response headers of calls without compression that no handler has touched. */
  readonly heads: Map<Format, OutgoingHttpHeaders>;
}

/** What the head of a request in envelopes says of its call. */
export interface EnvelopeHead extends CallHead {
  readonly compression: Negotiated;
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
  return {
    protocol: wire.protocol,
    timeout,
    problem: version ?? compression.error ?? timeout.error,
    responseHeader: initialHeaders(setup, format, compression),
    responseTrailer: wire.initialTrailer,
    compression,
  };
}

function initialHeaders(setup: EnvelopeSetup, format: Format, { response }: Negotiated): OutgoingHttpHeaders {
  const known = response === null ? setup.heads.get(format) : undefined;
  if (known !== undefined) return known;
  const headers: OutgoingHttpHeaders = { "content-type": format.contentType };
  if (response === null) setup.heads.set(format, headers);
  else headers[setup.wire.encodingHeader] = response.name;
  return headers;
}
