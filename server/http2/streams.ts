// The streams of a connection: ids, how many there are, and which were closed lately (RFC 9113 §5.1.1, §5.1.2).
import { ConnectionError, ErrorCode } from "./errors.js";
import { maxStreamId } from "./frame/frame-types.js";
import type { Side } from "./settings.js";
import type { Stream } from "./stream.js";
import { StreamState, stateAfterReceiving } from "./stream-state.js";
import { StreamTable } from "./stream-table.js";

/** A frame on a stream that ended this many streams ago is an error all the same, only with another code. */
const rememberedEnds = 100;

export class Streams<Owner> {
  readonly #open = new StreamTable<Owner>();
  /** What ids of the peer are when divided by two: 1 of a client. */
  readonly #peerParity: number;
  readonly #ended = new RecentIds(rememberedEnds);
  readonly #reset: RecentIds;
  #nextOwnId: number;
  #peerCount = 0;
  /** The highest stream of the peer that we have begun to process, for GOAWAY. */
  lastPeerId = 0;
  /** Streams of the peer above this one are ignored: we have sent GOAWAY. */
  maxPeerId: number = maxStreamId;

  constructor(side: Side, rememberedResets: number) {
    this.#peerParity = side === "server" ? 1 : 0;
    this.#nextOwnId = side === "server" ? 2 : 1;
    this.#reset = new RecentIds(rememberedResets);
  }

  /** Streams that are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Those of them that the peer has opened. */
  get peerCount(): number {
    return this.#peerCount;
  }

  get ownCount(): number {
    return this.#open.size - this.#peerCount;
  }

  find(id: number): Stream<Owner> | undefined {
    return this.#open.get(id);
  }

  /** A copy: streams may close while it is used. */
  list(): Stream<Owner>[] {
    return this.#open.list();
  }

  isOfPeer(id: number): boolean {
    return (id & 1) === this.#peerParity;
  }

  /** Returns the id of the next stream of ours, or undefined if all have been used. */
  takeOwnId(): number | undefined {
    const id = this.#nextOwnId;
    if (id > maxStreamId) return undefined;
    this.#nextOwnId += 2;
    return id;
  }

  add(stream: Stream<Owner>): void {
    this.#open.add(stream);
    if (!this.isOfPeer(stream.id)) return;
    this.#peerCount++;
    this.lastPeerId = stream.id;
  }

  /** Removes a stream that has been closed, and remembers how. Returns false if it has been removed before. */
  remove(stream: Stream<Owner>): boolean {
    if (!this.#open.delete(stream.id)) return false;
    if (this.isOfPeer(stream.id)) this.#peerCount--;
    (stream.state === StreamState.reset ? this.#reset : this.#ended).add(stream.id);
    return true;
  }

  /** Remembers a stream of the peer that we refused. */
  refuse(id: number): void {
    this.lastPeerId = id;
    this.#reset.add(id);
  }

  /**
   * Returns the state of a stream after a frame of the peer.
   *
   * @param stream the one that `find` returns for the id
   * @throws StreamError, ConnectionError if the frame is not allowed
   */
  stateAfterReceiving(stream: Stream<Owner> | undefined, event: number, id: number): number {
    if (id === 0) throw new ConnectionError(ErrorCode.protocolError, "stream 0: a frame that belongs to a stream");
    return stateAfterReceiving(stream === undefined ? this.stateOfOther(id) : stream.state, event, id);
  }

  /** The state of a stream that is not open. */
  stateOfOther(id: number): number {
    if (this.isOfPeer(id) ? id > this.lastPeerId : id >= this.#nextOwnId) {
      return this.isOfPeer(id) && id > this.maxPeerId ? StreamState.reset : StreamState.idle;
    }
    return this.#reset.has(id) ? StreamState.reset : StreamState.closed;
  }

  /** Whether the stream has ended lately. False of one that was skipped, which is closed, too. */
  hasEnded(id: number): boolean {
    return this.#ended.has(id);
  }
}

/** The last ids out of many. Adding one is cheap; looking one up is rare. */
class RecentIds {
  readonly #capacity: number;
  readonly #ids: number[] = [];
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Adds an id, and forgets the oldest if there are too many. */
  add(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = this.#next + 1 === this.#capacity ? 0 : this.#next + 1;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
