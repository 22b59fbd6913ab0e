// What has come on a connection and was not read yet.

const nothing = Buffer.alloc(0);
const lineFeed = 0x0a;

/** Bytes are added at the end and taken from the front. What was taken is never written over. */
export class Input {
  #bytes: Buffer = nothing;
  #start = 0;
  #end = 0;
  /** Whether the room behind the end is our own. */
  #isOwn = false;

  get length(): number {
    return this.#end - this.#start;
  }

  append(chunk: Buffer): void {
    if (this.length === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#isOwn = false;
      return;
    }
    if (!this.#isOwn || this.#end + chunk.length > this.#bytes.length) this.#grow(this.length + chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Makes twice the room that is needed, so that what has come is not moved for each single byte. */
  #grow(neededBytes: number): void {
    const grown = Buffer.allocUnsafeSlow(2 * neededBytes);
    this.#end = this.#bytes.copy(grown, 0, this.#start, this.#end);
    this.#start = 0;
    this.#bytes = grown;
    this.#isOwn = true;
  }

  /** Takes so many bytes, or all if there are fewer. */
  take(count: number): Buffer {
    const taken = this.#bytes.subarray(this.#start, Math.min(this.#start + count, this.#end));
    this.drop(taken.length);
    return taken;
  }

  /** Takes so many bytes, of which there are no fewer, and forgets them. */
  drop(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.clear();
  }

  /** Lets go of all. */
  clear(): void {
    this.#bytes = nothing;
    this.#start = 0;
    this.#end = 0;
    this.#isOwn = false;
  }

  /** Whether some bytes stand at a place, counted from the front. */
  hasAt(at: number, bytes: Buffer): boolean {
    const start = this.#start + at;
    const end = start + bytes.length;
    return end <= this.#end && this.#bytes.compare(bytes, 0, bytes.length, start, end) === 0;
  }

  /** Where some bytes begin, counted from the front, or -1. @param from where to look first */
  find(bytes: Buffer, from: number): number {
    return this.#found(this.#bytes.indexOf(bytes, this.#start + from), bytes.length);
  }

  /** Where the line ends that begins at `from`: the place after its line feed, or -1. */
  endOfLine(from: number): number {
    const index = this.#found(this.#bytes.indexOf(lineFeed, this.#start + from), 1);
    return index < 0 ? -1 : index + 1;
  }

  /** What lies behind the end is not ours. */
  #found(index: number, length: number): number {
    return index < 0 || index + length > this.#end ? -1 : index - this.#start;
  }

  /** Bytes as text: each of them is one character. */
  text(from: number, to: number): string {
    return this.#bytes.toString("latin1", this.#start + from, Math.min(this.#start + to, this.#end));
  }

  /** Drops the empty lines that some clients send after a body (RFC 9112 section 2.2). */
  skipEmptyLines(): void {
    let at = this.#start;
    while (at < this.#end && isLineEnd(this.#bytes[at] as number)) at++;
    if (at > this.#start) this.drop(at - this.#start);
  }
}

function isLineEnd(byte: number): boolean {
  return byte === 0x0d || byte === lineFeed;
}
