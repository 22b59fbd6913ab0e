// The beginning of a request's body, which is kept until the response begins, so that the request can begin again.
import type { RequestConnection, RequestStream } from "./request.js";

/** A request that has sent more bytes than this cannot begin again. */
const bytesMax = 64 * 1024;

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

  /** Sends what was added on a stream. */
  send(connection: RequestConnection, stream: RequestStream): void {
    if (this.#first !== undefined) connection.sendData(stream, this.#first, false);
    if (this.#others !== undefined) for (const chunk of this.#others) connection.sendData(stream, chunk, false);
  }

  /** The response has begun: there is no other stream. */
  forget(): void {
    this.isWhole = false;
    this.#first = undefined;
    this.#others = undefined;
  }
}
