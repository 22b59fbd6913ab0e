// One call on the wire of an upstream: bytes of a request out, headers, bytes and status of its response in.
import { Code, ConnectError } from "@connectrpc/connect";
import { KeptBody } from "../../client/http2/kept-body.js";
import type { Request, RequestConnection, RequestStream } from "../../client/http2/request.js";
import { ErrorCode } from "../http2/errors.js";
import type { ResponseFields } from "../http2/field-rules.js";
import type { Field } from "../http2/hpack/field.js";
import type { Route } from "./channel.js";
import { type ResponseEnd, type ResponseHead, readResponseEnd, readResponseHead } from "./response.js";

/** What happens to a call. Nothing does after `onStatus`, `onBroken` or `cancel`. */
export interface UpstreamCallListener {
  /** Returns the fields of the request that are not those of its route. Called when its turn has come. */
  requestFields(): readonly Field[];
  /** The upstream takes the request, or more of it. */
  onRoom(): void;
  /** The response has begun, with headers that others follow. */
  onHead(head: ResponseHead): void;
  /** A part of the body: the bytes from `start` to `end`. `consume` lets the upstream send more. */
  onBody(bytes: Uint8Array, start: number, end: number): void;
  /** The response is complete. */
  onStatus(end: ResponseEnd): void;
  /** The request could not be sent, or the response is malformed or incomplete. */
  onBroken(error: ConnectError): void;
}

/** A caller that sends byte by byte is not kept byte by byte. */
const keptChunksMax = 64;
const noFields: readonly Field[] = [];

export class UpstreamCall implements Request {
  readonly #route: Route;
  readonly #listener: UpstreamCallListener;
  #connection: RequestConnection | undefined;
  #stream: RequestStream | undefined;
  readonly #kept = new KeptBody(keptChunksMax);
  /** Whether the request has ended. */
  #isSent = false;
  #isOver = false;
  /** The trailers, or the headers as long as nothing follows them. */
  #trailers: readonly Field[] = noFields;

  constructor(route: Route, listener: UpstreamCallListener) {
    this.#route = route;
    this.#listener = listener;
  }

  get waitsForReady(): boolean {
    return this.#route.waitsForReady;
  }

  /** Begins the call, now or when the upstream can be reached. */
  send(): void {
    this.#route.channel.requests.send(this);
  }

  /** Sends a part of the body, which must not change afterwards. Returns false if `onRoom` is to be waited for. */
  write(bytes: Uint8Array, isEnd: boolean): boolean {
    this.#isSent = isEnd;
    this.#kept.add(bytes, this.#stream !== undefined);
    if (this.#connection === undefined || this.#stream === undefined) return false;
    return this.#connection.sendData(this.#stream, bytes, isEnd);
  }

  /** Lets the upstream send as many bytes more. */
  consume(bytes: number): void {
    if (this.#stream !== undefined) this.#connection?.consume(this.#stream, bytes);
  }

  /** Ends the call, if it has not ended. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#stream === undefined) this.#route.channel.requests.cancel(this);
    else this.#reset(ErrorCode.cancel);
  }

  open(connection: RequestConnection): RequestStream | undefined {
    const stream = connection.open(this.#route.fields, false, { more: this.#listener.requestFields() });
    if (stream === undefined) return undefined;
    this.#connection = connection;
    this.#stream = stream;
    this.#kept.send(connection, stream, this.#isSent);
    if (!this.#isSent) this.#listener.onRoom();
    return stream;
  }

  restart(): boolean {
    this.#stream = undefined;
    return !this.#isOver && this.#kept.isWhole;
  }

  onResponse(head: ResponseFields, hasBody: boolean): void {
    if (this.#isOver || head.status < 200) return;
    this.#kept.forget();
    try {
      const read = readResponseHead(head, this.#route.channel.encodings);
      // The status in headers counts only if nothing follows them.
      this.#trailers = head.fields;
      if (hasBody) this.#listener.onHead(read);
    } catch (reason) {
      this.cancel();
      this.#listener.onBroken(ConnectError.from(reason));
    }
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    this.#trailers = noFields;
    if (!this.#isOver) this.#listener.onBody(bytes, start, end);
  }

  onTrailers(trailers: readonly Field[]): void {
    this.#trailers = trailers;
  }

  onEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // The rest of the request is of no use.
    if (!this.#isSent) this.#reset(ErrorCode.noError);
    const end = readResponseEnd(this.#trailers);
    if (end.error?.code === Code.Unimplemented) this.#route.channel.onUnimplemented();
    this.#listener.onStatus(end);
  }

  onDrain(): void {
    if (!this.#isOver) this.#listener.onRoom();
  }

  onFail(error: ConnectError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onBroken(error);
  }

  #reset(code: number): void {
    if (this.#stream === undefined) return;
    this.#stream.owner = undefined;
    this.#connection?.reset(this.#stream, code);
  }
}
