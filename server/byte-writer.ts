// A byte buffer that grows while frames and header blocks are written into it, and is taken once per turn.
//
// Writers that run for every byte index `bytes` themselves:
//
//   into.reserve(2);
//   into.bytes[into.position++] = first;
//   into.bytes[into.position++] = second;
//
// Positions count from the last `take`, and stay the same when the buffer grows; `bytes` does not, so read it again after
// `reserve`. A frame whose length is known at the end reserves its head, and writes the length at the position kept.

const slabBytes = 16 * 1024;
/** A shorter rest of a slab is not used any more. */
const minRestBytes = 1024;
const maxSpares = 16;
/** Up to here a loop costs less than a call into the platform. */
const maxLoopBytes = 32;

const empty = new Uint8Array(0);
/** Unused slabs, and rests of slabs, of all writers: a writer holds memory only between its first byte and `take`. */
const spares: Uint8Array[] = [];

export class ByteWriter {
  /** Where to write. Replaced by `reserve` and by `take`. */
  bytes: Uint8Array = empty;
  /** Where the next byte goes: the number of bytes written since the last `take`. */
  position = 0;

  /** Makes room for so many bytes from `position` on. What has been written stays at its position. */
  reserve(count: number): void {
    if (this.position + count > this.bytes.length) this.#grow(this.position + count);
  }

  /** Appends a copy. */
  write(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    const { bytes: into, position } = this;
    if (bytes.length > maxLoopBytes) into.set(bytes, position);
    else for (let index = 0; index < bytes.length; index++) into[position + index] = bytes[index] as number;
    this.position = position + bytes.length;
  }

  /** Returns what has been written, and forgets it. The bytes are the caller's: they are not written to again. */
  take(): Uint8Array {
    const { bytes, position } = this;
    this.bytes = empty;
    this.position = 0;
    if (bytes.length - position >= minRestBytes && spares.length < maxSpares) spares.push(bytes.subarray(position));
    return bytes.subarray(0, position);
  }

  #grow(needed: number): void {
    const spare = this.position === 0 ? spares.pop() : undefined;
    if (spare !== undefined && spare.length >= needed) {
      this.bytes = spare;
      return;
    }
    const larger = new Uint8Array(Math.max(needed, this.position * 2, slabBytes));
    larger.set(this.bytes.subarray(0, this.position));
    this.bytes = larger;
  }
}
