// Receives HEADERS and CONTINUATION: the heads of requests and responses, and trailers.
import type { ConnectionCore } from "../connection-core.js";
import { ConnectionError, ErrorCode, StreamError } from "../errors.js";
import { checkTrailers, readRequestHead, readResponseHead, readSimilarRequest } from "../field-rules.js";
import type { FrameReader } from "../frame/frame-reader.js";
import { Flag } from "../frame/frame-types.js";
import { HeaderBlock } from "../frame/header-block.js";
import { HpackDecoder } from "../hpack/decoder.js";
import type { Field } from "../hpack/field.js";
import type { Stream } from "../stream.js";
import type { StreamEndings } from "../stream-endings.js";
import { StreamEvent, StreamState, stateAfterReceiving } from "../stream-state.js";
import { checkDependency } from "./checks.js";

/** Heads that are kept for the case that they come again. */
const maxHeads = 8;

export class IncomingHeads<Owner> {
  readonly #core: ConnectionCore<Owner>;
  readonly #endings: StreamEndings<Owner>;
  readonly #block: HeaderBlock;
  readonly #decoder = new HpackDecoder();
  readonly #requestHeads = new HeadMemo(readRequestHead, readSimilarRequest);
  readonly #responseHeads = new HeadMemo(readResponseHead);
  /** The last trailers that were well-formed. */
  #lastTrailers: readonly Field[] | undefined;

  constructor(core: ConnectionCore<Owner>, endings: StreamEndings<Owner>) {
    this.#core = core;
    this.#endings = endings;
    this.#block = new HeaderBlock(core.limits);
  }

  /** The stream whose header block has begun and goes on with CONTINUATION, or 0. */
  get pendingStreamId(): number {
    return this.#block.streamId;
  }

  onHeaders(frame: FrameReader): void {
    const { streamId, flags } = frame;
    if (streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "HEADERS: on stream 0");
    frame.dropPadding();
    if ((flags & Flag.priority) !== 0) {
      if (frame.length < 5) throw new ConnectionError(ErrorCode.frameSizeError, "HEADERS: shorter than its priority");
      checkDependency(frame);
      frame.start += 5;
    }
    if ((flags & Flag.endHeaders) !== 0) {
      this.#onBlock(streamId, flags, frame.bytes, frame.start, frame.end);
    } else {
      this.#block.begin(streamId, flags, frame.bytes, frame.start, frame.end);
    }
  }

  onContinuation(frame: FrameReader): void {
    const block = this.#block;
    if (block.streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "CONTINUATION: without HEADERS");
    if (frame.length === 0) this.#core.budget.spendControl(this.#core.now);
    block.continue(frame.bytes, frame.start, frame.end);
    if ((frame.flags & Flag.endHeaders) === 0) return;
    const { streamId, flags } = block;
    const bytes = block.take();
    this.#onBlock(streamId, flags, bytes, 0, bytes.length);
  }

  /** A whole header block. It is decoded whatever its stream is, because the table is of the connection. */
  #onBlock(id: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    const fields = this.#decoder.decode(bytes, this.#core.limits.headerBytes, start, end);
    const isEnd = (flags & Flag.endStream) !== 0;
    const stream = this.#core.streams.find(id);
    if (stream === undefined) {
      this.#onOtherHeaders(id, fields, isEnd);
      return;
    }
    stateAfterReceiving(stream.state, StreamEvent.receiveHeaders, id);
    if (this.#isTooLarge(fields)) throw new StreamError(id, ErrorCode.enhanceYourCalm, "headers: too large");
    if (stream.isHeadReceived) this.#onTrailers(stream, fields, isEnd);
    else this.#onResponse(stream, fields, isEnd);
  }

  #isTooLarge(fields: readonly Field[] | undefined): fields is undefined {
    // Four pseudo-header fields are not counted.
    return fields === undefined || fields.length > this.#core.limits.headerCount + 4;
  }

  /** HEADERS on a stream that is not open. */
  #onOtherHeaders(id: number, fields: readonly Field[] | undefined, isEnd: boolean): void {
    const { streams, side, limits } = this.#core;
    if (streams.stateOfOther(id) === StreamState.reset) return;
    if (!streams.isOfPeer(id) || id <= streams.lastPeerId || side === "client") {
      const code = streams.hasEnded(id) ? ErrorCode.streamClosed : ErrorCode.protocolError;
      throw new ConnectionError(code, `HEADERS: unexpected stream ${id}`);
    }
    if (streams.peerCount >= limits.concurrentStreams) this.#refuse(id);
    else this.#onRequest(id, fields, isEnd);
  }

  #refuse(id: number): void {
    const { streams, budget, outgoing, isSettled, now } = this.#core;
    // Until it has our settings, the peer does not know of the limit.
    if (isSettled) budget.spendRefusal(now);
    else budget.spendControl(now);
    streams.refuse(id);
    outgoing.frames.resetStream(id, ErrorCode.refusedStream);
  }

  #onRequest(id: number, fields: readonly Field[] | undefined, isEnd: boolean): void {
    if (this.#isTooLarge(fields)) throw new StreamError(id, ErrorCode.enhanceYourCalm, "headers: too large");
    const head = this.#requestHeads.read(fields);
    if (typeof head === "string") throw new StreamError(id, ErrorCode.protocolError, head);
    if (isEnd && head.contentLength > 0) {
      throw new StreamError(id, ErrorCode.protocolError, "END_STREAM: less than content-length");
    }
    const stream = this.#core.createStream(id);
    stream.state = isEnd ? StreamState.halfClosedRemote : StreamState.open;
    stream.isHeadReceived = true;
    stream.contentLength = head.contentLength;
    this.#core.streams.add(stream);
    this.#core.budget.earnControls();
    this.#core.listener.onRequest(stream, head, !isEnd);
    if (isEnd) this.#endings.onEndReceived(stream);
  }

  #onResponse(stream: Stream<Owner>, fields: readonly Field[], isEnd: boolean): void {
    const head = this.#responseHeads.read(fields);
    if (typeof head === "string") throw new StreamError(stream.id, ErrorCode.protocolError, head);
    const { status } = head;
    if (status < 200) {
      if (isEnd) throw new StreamError(stream.id, ErrorCode.protocolError, "END_STREAM: in an informational response");
      this.#core.budget.spendControl(this.#core.now);
    } else {
      stream.isHeadReceived = true;
      stream.contentLength = stream.isHeadRequest || status === 304 ? (isEnd ? -1 : 0) : head.contentLength;
    }
    if (isEnd) this.#endings.receiveEnd(stream);
    this.#core.listener.onResponse(stream, head, !isEnd);
    if (isEnd) this.#endings.onEndReceived(stream);
  }

  #onTrailers(stream: Stream<Owner>, fields: readonly Field[], isEnd: boolean): void {
    if (!isEnd) throw new StreamError(stream.id, ErrorCode.protocolError, "trailers: expected END_STREAM");
    const fault = fields === this.#lastTrailers ? undefined : checkTrailers(fields);
    if (fault !== undefined) throw new StreamError(stream.id, ErrorCode.protocolError, fault);
    this.#lastTrailers = fields;
    this.#endings.receiveEnd(stream);
    if (!stream.isReleased) this.#core.listener.onTrailers(stream, fields);
    this.#endings.onEndReceived(stream);
  }
}

/** Heads that come again. The decoder returns the same list of fields for the same block, and a list has one head. */
class HeadMemo<Head extends { readonly rawFields: readonly Field[] }> {
  readonly #read: (fields: readonly Field[]) => Head | string;
  readonly #readSimilar: ((fields: readonly Field[], head: Head) => Head | undefined) | undefined;
  readonly #heads: Head[] = [];
  #next = 0;
  /** The last head that was read whole. Those that follow may be like it. */
  #base: Head | undefined;

  /**
   * @param read returns the head of a list, or what is wrong with it
   * @param readSimilar returns the head of a list if it is like another one
   */
  constructor(
    read: (fields: readonly Field[]) => Head | string,
    readSimilar?: (fields: readonly Field[], head: Head) => Head | undefined,
  ) {
    this.#read = read;
    this.#readSimilar = readSimilar;
  }

  /** Returns the head of the list, or what is wrong with it. */
  read(fields: readonly Field[]): Head | string {
    const heads = this.#heads;
    for (let index = 0; index < heads.length; index++) {
      const head = heads[index] as Head;
      if (head.rawFields === fields) return head;
    }
    const similar = this.#base && this.#readSimilar?.(fields, this.#base);
    const head = similar ?? this.#read(fields);
    if (typeof head === "string") return head;
    if (similar === undefined) this.#base = head;
    heads[this.#next] = head;
    this.#next = (this.#next + 1) % maxHeads;
    return head;
  }
}
