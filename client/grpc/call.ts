// What unary calls and streams have in common: the request on its stream, the messages of the response, the status.
import { Code, ConnectError } from "@connectrpc/connect";
import type { CommonTransportOptions, Compression } from "@connectrpc/connect/protocol";
import { ErrorCode } from "../../server/http2/errors.js";
import type { ResponseFields } from "../../server/http2/field-rules.js";
import type { Fields } from "../../server/http2/frame/frame-writer.js";
import type { Field } from "../../server/http2/hpack/field.js";
import type { SettingsOf } from "../call-settings.js";
import type { Pool } from "../http2/pool.js";
import type { Request, RequestConnection, RequestStream } from "../http2/request.js";
import type { CodecOptions } from "../method-codec.js";
import { isCancelReset, momentMs } from "../tell-deadlines.js";
import { timedOut } from "../timeout.js";
import { type Envelope, EnvelopeReader } from "./envelopes.js";
import type { GrpcMethod } from "./method.js";
import { decompressReply, type HeadFacts, hasStatus, readHead, readStatus } from "./response.js";

/** Options of Connect's transports, and where the calls go. */
export interface GrpcOptions extends Omit<CommonTransportOptions, "defaultTimeoutMs" | "httpClient">, CodecOptions {
  readonly pool: Pool;
  /** How the calls of each method are made. Default: as no option said anything. */
  readonly settingsOf?: SettingsOf | undefined;
}

/** What a call is made of. */
export interface GrpcCallInit {
  readonly method: GrpcMethod;
  readonly options: GrpcOptions;
  readonly fields: Fields;
  /** Fields that follow them. */
  readonly more: Fields | undefined;
  readonly signal: AbortSignal | undefined;
  /** The deadline, if `signal` does not have it. */
  readonly timeoutMs: number | undefined;
  /** Whether the call waits while no server can be reached. */
  readonly waitsForReady?: boolean | undefined;
}

export const noFields: readonly Field[] = [];

export abstract class GrpcCall implements Request {
  protected readonly init: GrpcCallInit;
  protected connection: RequestConnection | undefined;
  protected stream: RequestStream | undefined;
  protected headFields: readonly Field[] = noFields;
  protected trailerFields: readonly Field[] = noFields;
  protected facts: HeadFacts | undefined;
  /** Whether `onDone` has been called. */
  protected isDone = false;
  readonly #envelopes: EnvelopeReader;
  #hasBody = false;
  #deadlineAt = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(init: GrpcCallInit) {
    this.init = init;
    this.#envelopes = new EnvelopeReader(init.options.readMaxBytes);
    init.signal?.addEventListener("abort", this.#onAbort);
    if (init.timeoutMs === undefined) return;
    this.#deadlineAt = performance.now() + init.timeoutMs;
    this.#timer = setTimeout(() => this.cancel(timedOut()), init.timeoutMs);
  }

  /** The stream is open: sends the request's messages. */
  protected abstract onOpen(connection: RequestConnection, stream: RequestStream): void;
  /** @param isEnd whether nothing follows the headers */
  protected abstract onHead(isEnd: boolean): void;
  /**
   * A message has come. Returns whether it was taken; if it was not, its bytes are to be consumed later.
   *
   * @throws ConnectError if it is one too many
   */
  protected abstract onMessage(envelope: Envelope, bytes: number): boolean;
  /** The call has ended: with a complete response, whatever its status, or with an error. Called once. */
  protected abstract onDone(error: ConnectError | undefined): void;

  abstract onDrain(): void;

  get waitsForReady(): boolean {
    return this.init.waitsForReady === true;
  }

  open(connection: RequestConnection): RequestStream | undefined {
    const { fields, more } = this.init;
    const stream = connection.open(fields, false, more === undefined ? undefined : { more });
    if (stream === undefined) return undefined;
    this.connection = connection;
    this.stream = stream;
    this.onOpen(connection, stream);
    return stream;
  }

  restart(): boolean {
    if (this.isDone || this.headFields !== noFields) return false;
    this.stream = undefined;
    return true;
  }

  onResponse(head: ResponseFields, hasBody: boolean): void {
    if (head.status < 200) return;
    try {
      this.headFields = head.fields;
      this.facts = readHead(head, this.init.options);
      this.onHead(!hasBody);
    } catch (error) {
      this.cancel(ConnectError.from(error));
    }
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    const envelopes = this.#envelopes;
    let from = start;
    let consumed = 0;
    this.#hasBody = true;
    try {
      envelopes.feed(bytes, start, end);
      for (let envelope = envelopes.next(); envelope !== undefined; envelope = envelopes.next()) {
        const size = envelopes.position - from;
        from = envelopes.position;
        if (this.onMessage(envelope, size)) consumed += size;
        if (this.isDone) return;
      }
    } catch (error) {
      this.cancel(ConnectError.from(error));
      return;
    }
    // A part of a message can be larger than the window.
    this.consume(consumed + end - from);
  }

  onTrailers(trailers: readonly Field[]): void {
    this.trailerFields = trailers;
  }

  onEnd(): void {
    if (!this.isDone) this.#finish(this.#envelopes.isCut ? this.#errorOfCut() : undefined);
  }

  onFail(error: ConnectError): void {
    if (this.isDone) return;
    const isAtDeadline = isCancelReset(error) && this.#deadlineAt - performance.now() <= momentMs;
    this.#finish(isAtDeadline ? timedOut() : error);
  }

  /** Ends the call for a reason of ours: the server learns of it. */
  cancel(error: ConnectError): void {
    if (this.isDone) return;
    if (this.stream === undefined) this.init.options.pool.cancel(this);
    else {
      this.stream.owner = undefined;
      this.connection?.reset(this.stream, ErrorCode.cancel);
    }
    this.#finish(error);
  }

  protected consume(bytes: number): void {
    if (bytes > 0 && this.stream !== undefined) this.connection?.consume(this.stream, bytes);
  }

  /** The status of a complete response. That in the headers counts only if nothing follows them. */
  protected statusError(): ConnectError | undefined {
    const { headFields, trailerFields } = this;
    const isHeadOnly = !this.#hasBody && trailerFields.length === 0;
    return readStatus(isHeadOnly ? headFields : trailerFields, headFields);
  }

  #errorOfCut(): ConnectError {
    const error = hasStatus(this.trailerFields) ? this.statusError() : undefined;
    return error ?? new ConnectError("protocol error: incomplete envelope", Code.Internal);
  }

  /** Returns the bytes of a message: at once, unless they are compressed. */
  protected dataOf({ isCompressed, data }: Envelope): Uint8Array | Promise<Uint8Array> {
    return isCompressed ? decompress(data, this.facts?.compression, this.init.options.readMaxBytes) : data;
  }

  #finish(error: ConnectError | undefined): void {
    this.isDone = true;
    clearTimeout(this.#timer);
    this.init.signal?.removeEventListener("abort", this.#onAbort);
    this.onDone(error);
  }

  readonly #onAbort = (): void => {
    this.cancel(ConnectError.from(this.init.signal?.reason, Code.Canceled));
  };
}

async function decompress(data: Uint8Array, compression: Compression | undefined, readMaxBytes: number) {
  if (compression === undefined) {
    throw new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
  }
  return await decompressReply(data, compression, readMaxBytes);
}
