// What a session needs of a request, whatever protocol it belongs to.
import type { ConnectError } from "@connectrpc/connect";
import type { Connection } from "../../server/http2/connection.js";
import type { ResponseFields } from "../../server/http2/field-rules.js";
import type { Field } from "../../server/http2/hpack/field.js";
import type { Stream } from "../../server/http2/stream.js";

/** The connection and the stream of a request. */
export type RequestConnection = Connection<Request>;
export type RequestStream = Stream<Request>;

/** One request: opened when its turn has come, and then told of everything that happens on its stream. */
export interface Request {
  /** Whether it waits while no server can be reached. Others fail with the cause. */
  readonly waitsForReady?: boolean;
  /** Opens the stream. Returns undefined if the connection opens none any more. */
  open(connection: RequestConnection): RequestStream | undefined;
  /**
   * A response has begun, or an informational one (1xx) has come.
   *
   * @param hasBody false if nothing follows the headers
   */
  onResponse(head: ResponseFields, hasBody: boolean): void;
  /** A part of the body: the bytes from `start` to `end`. `consume` of the connection lets the server send more. */
  onData(bytes: Uint8Array, start: number, end: number): void;
  onTrailers(trailers: readonly Field[]): void;
  /** The response is complete. The last call, unless `onFail` is. */
  onEnd(): void;
  /**
   * The server has surely not processed the request. Returns whether it can be opened again, as if it never had been. If it
   * cannot, `onFail` follows.
   */
  restart(): boolean;
  /** What waited has been sent. */
  onDrain(): void;
  /** The request has not been sent, or its response is not complete. The last call. */
  onFail(error: ConnectError): void;
}

/** Connections that requests are sent on. */
export interface RequestSender {
  /** Opens the request's stream, now or when there is room. */
  send(request: Request): void;
  /** Forgets a request that waits. Returns false if it does not. */
  cancel(request: Request): boolean;
}
