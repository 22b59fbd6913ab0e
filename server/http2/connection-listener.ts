// What a connection tells of its streams and of itself.
import type { ConnectionError } from "./errors.js";
import type { RequestFields, ResponseFields } from "./field-rules.js";
import type { Field } from "./hpack/field.js";
import type { Stream } from "./stream.js";

/**
 * What happens on a connection. Calls come from within `receive`, `tick`, `takeOutput` and the calls that send, and may call
 * the connection in turn. They must not throw.
 */
export interface ConnectionListener<Owner> {
  /** Server: a request has begun. Client: never called. If `hasBody` is false, `onEnd` follows at once. */
  onRequest(stream: Stream<Owner>, head: RequestFields, hasBody: boolean): void;
  /** Client: a response has begun, or an informational one (1xx) has come. Server: never called. */
  onResponse(stream: Stream<Owner>, head: ResponseFields, hasBody: boolean): void;
  /**
   * A part of the body: the bytes from `start` to `end`. They belong to the chunk given to `receive`. Its window is closed
   * by them until `consume` is called.
   */
  onData(stream: Stream<Owner>, bytes: Uint8Array, start: number, end: number): void;
  /** Trailers have come; `onEnd` follows. */
  onTrailers(stream: Stream<Owner>, trailers: readonly Field[]): void;
  /** The peer has sent everything, and it was complete. */
  onEnd(stream: Stream<Owner>): void;
  /** What waited after `sendData` returned false has been written. */
  onDrain(stream: Stream<Owner>): void;
  /**
   * The last call for a stream. Both sides have ended it, or it has been reset: then `stream.resetCode` is set. A server
   * gets it as soon as its response has been written, whether or not the rest of the request has come.
   */
  onStreamClose(stream: Stream<Owner>): void;
  /** The peer has announced settings: see `peer`. */
  onSettings(): void;
  /** The peer has acknowledged our `ping`. */
  onPong(id: number): void;
  /** The peer takes no more streams. Those of ours that it has not processed are closed first, with REFUSED_STREAM. */
  onGoaway(code: number, message: string): void;
  /**
   * The connection is over: the last call of all. What `takeOutput` still returns is to be written, then the socket to be
   * closed. Undefined if it ended regularly.
   */
  onClose(error: ConnectionError | undefined): void;
}
