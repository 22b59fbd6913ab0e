// The beginning of a request's body, which is kept until the response begins, so that the request can begin again.
import type { RequestConnection, RequestStream } from "./request.js";

/** A request that has sent more bytes than this cannot begin again. */
const bytesMax = 64 * 1024;
const nothing = new Uint8Array();
const none: readonly Uint8Array[] = [];

export class KeptBody {
  readonly #chunksMax: number;
  /** Whether all that was sent is kept. */
  isWhole = true;
  /** Most bodies are one chunk: an array for it would cost more than all else here. */
  #first: Uint8Array | undefined;
  #others: Uint8Array[] | undefined;
  #chunks = 0;
  #bytes = 0;

  /** @param chunksMax a request that has sent more chunks cannot begin again */
  constructor(chunksMax: number = Number.POSITIVE_INFINITY) {
    this.#chunksMax = chunksMax;
  }

  /** @param hasStream whether the chunk is sent now. What waits for a stream is kept, whatever its size */
  add(chunk: Uint8Array, hasStream: boolean): void {
    if (!this.isWhole) return;
    this.#bytes += chunk.length;
    const isShort = this.#bytes <= bytesMax && this.#chunks < this.#chunksMax;
    if (isShort || !hasStream) this.#keep(chunk);
    else this.forget();
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks++;
    if (this.#first === undefined) {
      this.#first = chunk;
      return;
    }
    this.#others ??= [];
    this.#others.push(chunk);
  }

  /**
   * Sends what was added on a stream.
   *
   * @param isEnd whether nothing follows: the stream ends with the last chunk
   */
  send(connection: RequestConnection, stream: RequestStream, isEnd: boolean): void {
    const others = this.#others ?? none;
    connection.sendData(stream, this.#first ?? nothing, isEnd && others.length === 0);
    others.forEach((chunk, index) => void connection.sendData(stream, chunk, isEnd && index === others.length - 1));
  }

  /** The response has begun: there is no other stream. */
  forget(): void {
    this.isWhole = false;
    this.#first = undefined;
    this.#others = undefined;
  }
}
