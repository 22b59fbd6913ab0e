// Finds the heads of requests in what comes, and refuses what cannot become one before all of it has come.
import { RequestError } from "./errors.js";
import { readFieldLine } from "./field-line.js";
import { HeadPattern } from "./head-pattern.js";
import type { Input } from "./input.js";
import { checkStart, type RequestHead, readRequestHead, readRequestLine } from "./request-head.js";

const headEnd = Buffer.from("\r\n\r\n");
/** How much of an unfinished first line is looked at. */
const startLength = 40;
/** A larger head is read again each time. */
const maxKnownBytes = 4096;

/** The heads of one connection. */
export class HeadReader {
  readonly #maxBytes: number;
  /** Where the search for the end goes on, and the first line that was not checked, in a head that has not come whole. */
  #searched = 0;
  #checked = 0;
  /** Of the last head that was read whole. Clients send the same one again and again, or similar ones. */
  #pattern: HeadPattern | undefined;

  /** @param maxBytes of a head: request line, headers, and their ends */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes a head. Returns undefined if it has not come whole. @throws RequestError */
  read(input: Input): RequestHead | undefined {
    if (this.#searched === 0) {
      input.skipEmptyLines();
      const known = this.#pattern?.read(input, this.#maxBytes);
      if (known !== undefined) return known;
    }
    const end = input.find(headEnd, Math.max(0, this.#searched - headEnd.length));
    const { length } = input;
    if ((end < 0 ? length : end + headEnd.length) > this.#maxBytes) {
      throw new RequestError(431, `headers: expected at most ${this.#maxBytes} bytes`);
    }
    if (end < 0) {
      this.#checkPart(input);
      this.#searched = length;
      return undefined;
    }
    this.#searched = 0;
    this.#checked = 0;
    const bytes = input.take(end + headEnd.length);
    const before = this.#pattern;
    const head = readRequestHead(bytes.subarray(0, end), before?.head);
    this.#pattern = bytes.length > maxKnownBytes ? undefined : new HeadPattern(copyOf(bytes), head, before);
    return head;
  }

  /** Checks the lines of an unfinished head that have come whole, and how it begins. */
  #checkPart(input: Input): void {
    for (let end = input.endOfLine(this.#checked); end >= 0; end = input.endOfLine(this.#checked)) {
      const line = input.text(this.#checked, end);
      if (!line.endsWith("\r\n"))
        throw new RequestError(400, "line: expected carriage return and line feed at its end");
      const read = this.#checked === 0 ? readRequestLine : readFieldLine;
      read(line.slice(0, -2));
      this.#checked = end;
    }
    if (this.#checked === 0 && input.length > 0) checkStart(input.text(0, startLength));
  }
}

/** A slice would keep all alive that came with it. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
