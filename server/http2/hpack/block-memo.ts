// Header blocks that come again: a client that repeats a call sends the same bytes for it.
import { equalBytes, hashBytes } from "./bytes.js";
import type { Field } from "./field.js";

/** Blocks of one connection: the methods that its calls alternate between. */
const maxBlocks = 8;
/** Longer blocks are seldom the same twice. */
const maxBlockBytes = 256;
/** A power of two. */
const hashCount = 16;

interface Block {
  readonly bytes: Uint8Array;
  readonly fields: readonly Field[];
  /** Size of the list. */
  readonly listBytes: number;
}

/** Blocks that left the table as it was → their fields, as long as it stays so. It takes what has come twice. */
export class BlockMemo {
  readonly #blocks: Block[] = [];
  #version = 0;
  readonly #lastHashes = new Int32Array(hashCount);

  /** Returns the fields that the block had before with the same table; undefined if it had none. */
  find(
    bytes: Uint8Array,
    start: number,
    end: number,
    version: number,
    maxListBytes: number,
  ): readonly Field[] | undefined {
    const blocks = this.#blocks;
    if (blocks.length > 0 && this.#version !== version) blocks.length = 0;
    for (let index = 0; index < blocks.length; index++) {
      const block = blocks[index] as Block;
      if (!equalBytes(block.bytes, bytes, start, end)) continue;
      if (index > 0) this.#moveUp(index, block);
      return block.listBytes <= maxListBytes ? block.fields : undefined;
    }
    return undefined;
  }

  /** Offers a block that `find` did not find, and that has not changed the table. */
  offer(
    bytes: Uint8Array,
    start: number,
    end: number,
    version: number,
    fields: readonly Field[],
    listBytes: number,
  ): void {
    if (end - start > maxBlockBytes) return;
    const hash = hashBytes(bytes, start, end);
    const slot = hash & (hashCount - 1);
    if (this.#lastHashes[slot] !== hash) {
      this.#lastHashes[slot] = hash;
      return;
    }
    this.#version = version;
    const block = { bytes: bytes.slice(start, end), fields, listBytes };
    if (this.#blocks.length < maxBlocks) this.#blocks.push(block);
    else this.#blocks[maxBlocks - 1] = block;
  }

  /** Blocks that come more often are found first. */
  #moveUp(index: number, block: Block): void {
    this.#blocks[index] = this.#blocks[index - 1] as Block;
    this.#blocks[index - 1] = block;
  }
}
