// How the body of a request comes to the owner of an exchange, in both HTTP versions.
import type { OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { ExchangeOwner } from "../http/exchange.js";
import { type ConnectionLoad, type LoadingExchange, UploadWatch } from "./connection-load.js";

/** The exchange that one of Node's streams belongs to, so that listeners can be functions that all streams share. */
export const exchangeKey: unique symbol = Symbol("exchange");

/** What Node's parsers push a body into: a request of HTTP/1.1, or a stream of HTTP/2. */
export type BodySource<Source extends Readable = Readable> = Source & { [exchangeKey]?: NodeExchange | undefined };

/**
 * The half of an exchange that reads. The buffer, events and ticks of a Node stream cost about as much as our own work for
 * a small call, so chunks go straight from the parser to the owner. Once it pauses, or if a chunk came before it began to
 * read, it reads from the stream.
 */
export abstract class NodeExchange implements LoadingExchange {
  owner: ExchangeOwner | undefined;
  place = -1;
  refusalHeaders: Readonly<OutgoingHttpHeaders> | undefined;
  readonly #source: BodySource;
  #way: "undecided" | "straight" | "stream" = "undecided";
  #hearsData = false;
  #hearsEnd = false;
  #isEnded = false;
  readonly #load: ConnectionLoad | undefined;
  readonly #upload = new UploadWatch();

  /**
   * @param hasEnded whether the stream knows of the end of the body already
   * @param load that of the connection, which has the exchange until it is closed
   */
  constructor(source: BodySource, hasEnded: boolean, load: ConnectionLoad | undefined) {
    this.#source = source;
    this.#load = load;
    load?.begin(this);
    source[exchangeKey] = this;
    if (hasEnded || source.readableLength > 0) this.readFromStream();
  }

  abstract readonly unsentBytes: number;
  abstract endStalled(): void;

  /** Whether the connection has room for another chunk. */
  hasRoomFor(chunkBytes: number): boolean {
    return this.#load?.hasRoomFor(chunkBytes) !== false;
  }

  hasStalledUpload(nowMs: number, stallMs: number): boolean {
    const isDue = !this.#isEnded && this.owner?.owesRest === true && !this.#source.isPaused();
    return this.#upload.hasStalled(isDue, nowMs, stallMs);
  }

  /** Decides whether what Node's parser pushes now is to be given to `take`, and not to the stream. */
  takesPushed(): boolean {
    this.preferStream();
    return this.#way === "straight";
  }

  /** Whether the owner has had all of the body. */
  get isBodyEnded(): boolean {
    return this.#isEnded;
  }

  attach(owner: ExchangeOwner): void {
    this.owner = owner;
  }

  read(): void {
    if (this.#way === "undecided") {
      this.#way = "straight";
      this.#source._read(0);
    } else if (this.#way === "stream") {
      if (!this.#hearsData) this.#source.on("data", onData);
      this.#hearsData = true;
      this.#source.resume();
    }
  }

  pause(): void {
    this.readFromStream();
    this.#source.pause();
  }

  /** Leaves all to the stream, if reading has not begun. */
  protected preferStream(): void {
    if (this.#way === "undecided") this.readFromStream();
  }

  /** Leaves what is still to come to the stream. */
  protected readFromStream(): void {
    this.#way = "stream";
    this.hearEnd();
  }

  /** Listens for the end of the body on the stream. */
  protected hearEnd(): void {
    if (!this.#hearsEnd) this.#source.on("end", onEnd);
    this.#hearsEnd = true;
  }

  /** Takes what would be pushed into the stream: a part of the body, or null for its end. Returns whether to read on. */
  take(chunk: Buffer | null): boolean {
    if (chunk === null) this.endBody();
    else this.takeData(chunk);
    return this.#way === "straight" && !this.#isEnded;
  }

  /** A part of the body has come. */
  takeData(chunk: Buffer): void {
    this.#upload.receive(chunk.length);
    this.owner?.onData(chunk);
  }

  /** The body is complete. */
  endBody(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.owner?.onEnd();
  }

  /** The response has been closed. */
  close(): void {
    const { owner } = this;
    this.#load?.end(this);
    this.owner = undefined;
    owner?.onClose();
  }
}

function onData(this: BodySource, chunk: Buffer): void {
  this[exchangeKey]?.takeData(chunk);
}

function onEnd(this: BodySource): void {
  this[exchangeKey]?.endBody();
}
