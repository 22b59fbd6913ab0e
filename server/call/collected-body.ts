// Collects the body of a request that is one message.
import type { IncomingHttpHeaders } from "node:http";
import type { ConnectError } from "@connectrpc/connect";
import { ByteBuffer, takeBytes } from "./byte-buffer.js";
import { tooLarge } from "./error.js";

/** A body that is read completely before it is used, up to a limit in bytes. */
export class CollectedBody {
  readonly #limitBytes: number;
  readonly #bytes = new ByteBuffer();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Returns an error if Content-Length is over the limit. */
  checkLength(headers: IncomingHttpHeaders): ConnectError | undefined {
    const announced = Number.parseInt(headers["content-length"] ?? "", 10);
    return announced > this.#limitBytes ? tooLarge(this.#limitBytes, announced) : undefined;
  }

  /** Adds a chunk. Returns an error, and does not keep the chunk, if the body is over the limit with it. */
  push(chunk: Buffer): ConnectError | undefined {
    if (this.#bytes.length + chunk.length > this.#limitBytes) return tooLarge(this.#limitBytes);
    this.#bytes.push(chunk);
    return undefined;
  }

  /** Returns the whole body, and removes it. */
  take(): Uint8Array {
    const bytes = this.#bytes.take();
    return takeBytes(bytes, 0, bytes.length);
  }
}
