// Strings that come again: literals which a peer does not index, such as the paths of nghttp2 (and so of grpc-js), and the
// names and values that each new connection begins with.
import { equalBytes } from "./bytes.js";

/** A power of two. */
const slotCount = 256;
/** Longer strings are seldom the same twice. */
export const maxCachedBytes = 64;

interface Kept {
  /** As it was encoded. */
  readonly bytes: Uint8Array;
  readonly isHuffman: boolean;
  readonly text: string;
}

/**
 * Encoded string → text, in the only slot that its hash has. It takes what has come twice in a row in its slot, so that ids and
 * timeouts push nothing out, and never more than 256 strings of 64 bytes.
 */
export class StringCache {
  readonly #slots: (Kept | undefined)[] = new Array(slotCount).fill(undefined);
  readonly #lastHashes = new Int32Array(slotCount);

  find(bytes: Uint8Array, start: number, end: number, isHuffman: boolean, hash: number): string | undefined {
    const kept = this.#slots[hash & (slotCount - 1)];
    if (kept === undefined || kept.isHuffman !== isHuffman || !equalBytes(kept.bytes, bytes, start, end))
      return undefined;
    return kept.text;
  }

  /** Offers a string that `find` did not find. */
  offer(bytes: Uint8Array, start: number, end: number, isHuffman: boolean, hash: number, text: string): void {
    const slot = hash & (slotCount - 1);
    if (this.#lastHashes[slot] === hash) this.#slots[slot] = { bytes: bytes.slice(start, end), isHuffman, text };
    else this.#lastHashes[slot] = hash;
  }
}
