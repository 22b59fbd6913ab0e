// The beginning of a request's body, which is kept until the response begins, so that the request can begin again.
import type { RequestConnection, RequestStream } from "./request.js";

/** A request that has sent more bytes than this cannot begin again. */
const bytesMax = 64 * 1024;

export class KeptBody {
  readonly #chunksMax: number;
  #chunks: Uint8Array[] | undefined = [];
  #bytes = 0;

  /** @param chunksMax a request that has sent more chunks cannot begin again */
  constructor(chunksMax: number = Number.POSITIVE_INFINITY) {
    this.#chunksMax = chunksMax;
  }

  /** Whether all that was sent is kept. */
  get isWhole(): boolean {
    return this.#chunks !== undefined;
  }

  /** @param hasStream whether the chunk is sent now. What waits for a stream is kept, whatever its size */
  add(chunk: Uint8Array, hasStream: boolean): void {
    if (this.#chunks === undefined) return;
    this.#bytes += chunk.length;
    const isShort = this.#bytes <= bytesMax && this.#chunks.length < this.#chunksMax;
    if (isShort || !hasStream) this.#chunks.push(chunk);
    else this.#chunks = undefined;
  }

  /** Sends what was added on a stream. */
  send(connection: RequestConnection, stream: RequestStream): void {
    for (const chunk of this.#chunks ?? []) connection.sendData(stream, chunk, false);
  }

  /** The response has begun: there is no other stream. */
  forget(): void {
    this.#chunks = undefined;
  }
}
