// Reads the request of a call in envelopes: its head, and a body that gRPC-Web's text variant encodes in base64.
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Call, CallHead, CallSetup } from "../call/call.js";
import { toConnectError } from "../call/error.js";
import type { Method } from "../call/method.js";
import { compressesResponses } from "../call/response-compression.js";
import { readTimeout } from "../call/timeout.js";
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
import { PreparedHead } from "../http/prepared-head.js";
import { Base64Decoder } from "./base64-stream.js";
import type { MessageCodec } from "./codec.js";
import type { Negotiated, Negotiator } from "./compression.js";
import { checkVersionHeader } from "./connect.js";
import { compressedFlag, type Envelope, EnvelopeReader } from "./envelope.js";
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
  /** The compression of the response, unless its handler chooses. */
  readonly initialCompression: Compression | null;
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
  const isCompressed = compressesResponses(method.options, wire.protocol);
  const initialCompression = isCompressed ? compression.response : null;
  const response = prepareResponse(setup, format, initialCompression);
  return {
    protocol: wire.protocol,
    timeout,
    problem: version ?? compression.error ?? timeout.error,
    responseHeader: response.headers,
    responseTrailer: wire.initialTrailer,
    compression,
    initialCompression,
    response,
  };
}

/** The head of responses with the compression that no handler has touched. */
export function prepareResponse(
  { heads, wire }: EnvelopeSetup,
  format: Format,
  compression: Compression | null,
): PreparedHead {
  const key = compression === null ? "" : compression.name;
  const byFormat = heads.get(format) ?? new Map<string, PreparedHead>();
  heads.set(format, byFormat);
  const known = byFormat.get(key);
  if (known !== undefined) return known;
  const contentType = { "content-type": format.contentType };
  const headers = compression === null ? contentType : { ...contentType, [wire.encodingHeader]: compression.name };
  const head = new PreparedHead(200, headers);
  byFormat.set(key, head);
  return head;
}

/** The messages that arrive. */
export class EnvelopeRequest {
  /** Envelopes that have arrived and wait to be taken. */
  arrived: Envelope[] = [];
  /** True after a framing error. The rest of the body is ignored. */
  isBroken = false;
  readonly #call: Call;
  readonly #codec: MessageCodec;
  readonly #compression: Compression | null;
  readonly #limitBytes: number;
  readonly #reader: EnvelopeReader;
  readonly #decoder: Base64Decoder | undefined;

  constructor({ wire, method, codecs }: EnvelopeSetup, format: Format, { compression }: EnvelopeHead, call: Call) {
    this.#call = call;
    this.#codec = codecs[format.codec];
    this.#compression = compression.request;
    this.#limitBytes = method.options.readMaxBytes;
    this.#reader = new EnvelopeReader(this.#limitBytes, wire.skippedFlag);
    this.#decoder = format.isText ? new Base64Decoder() : undefined;
  }

  /** Whether a part of an envelope has come. */
  get hasPart(): boolean {
    return this.#reader.hasRest;
  }

  /** Adds a chunk to what has arrived. Returns an error if the body cannot be read further. */
  push(chunk: Buffer): ConnectError | undefined {
    try {
      this.#reader.push(this.#decoder === undefined ? chunk : this.#decoder.decode(chunk), this.arrived);
      return undefined;
    } catch (reason) {
      this.isBroken = true;
      return toConnectError(reason);
    }
  }

  /** Ends the body. Returns an error if it is incomplete. */
  end(): ConnectError | undefined {
    try {
      this.#decoder?.end();
    } catch (reason) {
      return toConnectError(reason);
    }
    return this.#reader.hasRest
      ? new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument)
      : undefined;
  }

  /** Takes the envelopes that have arrived. */
  take(): Envelope[] {
    const { arrived } = this;
    this.arrived = [];
    return arrived;
  }

  /** Reads the message of an envelope, and decompresses it where its flags say so. Throws or rejects if it cannot be read. */
  open({ flags, data }: Envelope): Message | Promise<Message> {
    if ((flags & compressedFlag) === 0) return this.#parse(data);
    if (this.#compression === null) {
      throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
    }
    return this.#compression.decompress(data, this.#limitBytes).then((bytes) => this.#parse(bytes));
  }

  #parse(data: Uint8Array): Message {
    const message = this.#codec.parse(data);
    this.#call.messagesReceived++;
    return message;
  }
}
