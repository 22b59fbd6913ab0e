// The body of a request, part by part as it comes: of a known length, or in chunks (RFC 9112 sections 6 and 7).
import { RequestError } from "./errors.js";
import { readFieldLine } from "./field-line.js";
import type { Input } from "./input.js";

export interface BodyReader {
  /** Whether all of the body has been taken. */
  readonly isEnded: boolean;
  /** Bytes that are still to come; `Infinity` if that is not known. */
  readonly leftBytes: number;
  /** Takes what has come of the body, or a part of it. Returns undefined if there is nothing, or nothing more. @throws RequestError */
  next(input: Input): Buffer | undefined;
}

/** @param bodyBytes as `RequestHead` has it @param maxTrailerBytes of the trailers of chunks */
export function createBodyReader(bodyBytes: number, maxTrailerBytes: number): BodyReader {
  return bodyBytes === Number.POSITIVE_INFINITY ? new ChunkReader(maxTrailerBytes) : new LengthReader(bodyBytes);
}

class LengthReader implements BodyReader {
  leftBytes: number;

  constructor(bytes: number) {
    this.leftBytes = bytes;
  }

  get isEnded(): boolean {
    return this.leftBytes === 0;
  }

  next(input: Input): Buffer | undefined {
    if (this.leftBytes === 0 || input.length === 0) return undefined;
    const part = input.take(this.leftBytes);
    this.leftBytes -= part.length;
    return part;
  }
}

/** Maximum size of a line with the size of a chunk, and of all extensions of a body. Clients send none. */
const maxExtensionBytes = 16 * 1024;
/** Fewer digits than numbers are exact with. */
const sizeLine = /^([0-9a-f]{1,12})(;[\t\x20-\x7e]*)?$/i;
/** Names, some with a value, which may be in quotes (RFC 9112 section 7.1.1). */
const extensions =
  /^(?:;[\w!#$%&'*+.^`|~-]+(?:=(?:[\w!#$%&'*+.^`|~-]+|"(?:[\t\x20-\x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"))?)*$/;

class ChunkReader implements BodyReader {
  readonly #maxTrailerBytes: number;
  #expected: "size" | "data" | "data end" | "trailers" | "end" = "size";
  /** Bytes of the chunk that are still to come. */
  #left = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;

  constructor(maxTrailerBytes: number) {
    this.#maxTrailerBytes = maxTrailerBytes;
  }

  get isEnded(): boolean {
    return this.#expected === "end";
  }

  get leftBytes(): number {
    return this.isEnded ? 0 : Number.POSITIVE_INFINITY;
  }

  next(input: Input): Buffer | undefined {
    while (this.#expected !== "data") if (!this.#skip(input)) return undefined;
    if (input.length === 0) return undefined;
    const part = input.take(this.#left);
    this.#left -= part.length;
    if (this.#left === 0) this.#expected = "data end";
    return part;
  }

  /** Reads what stands between the data of two chunks. Returns false if it has not come, or if nothing follows. */
  #skip(input: Input): boolean {
    switch (this.#expected) {
      case "size":
        return this.#readSize(takeLine(input, maxExtensionBytes, 413));
      case "data end":
        return this.#endData(takeLine(input, 0, 400));
      case "trailers":
        return this.#readTrailer(takeLine(input, this.#maxTrailerBytes, 431));
      default:
        return false;
    }
  }

  #readSize(line: string | undefined): boolean {
    if (line === undefined) return false;
    const [, digits, extension = ""] = sizeLine.exec(line) ?? [];
    if (digits === undefined) throw new RequestError(400, "chunk: expected a size in hexadecimal digits");
    if (!extensions.test(extension)) throw new RequestError(400, "chunk: malformed extension");
    this.#extensionBytes += extension.length;
    if (this.#extensionBytes > maxExtensionBytes) throw new RequestError(413, "chunk: too many extensions");
    this.#left = Number.parseInt(digits, 16);
    this.#expected = this.#left === 0 ? "trailers" : "data";
    return true;
  }

  #endData(line: string | undefined): boolean {
    if (line === undefined) return false;
    this.#expected = "size";
    return true;
  }

  /** Trailers of a request mean nothing to any protocol here. */
  #readTrailer(line: string | undefined): boolean {
    if (line === undefined) return false;
    if (line === "") {
      this.#expected = "end";
      return true;
    }
    readFieldLine(line);
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > this.#maxTrailerBytes) throw new RequestError(431, "trailers: too large");
    return true;
  }
}

/**
 * Takes a line without its end. Returns undefined if it has not come whole.
 *
 * @throws RequestError if it is longer than `maxBytes`, with `status`, or does not end as it should
 */
function takeLine(input: Input, maxBytes: number, status: number): string | undefined {
  const end = input.endOfLine(0);
  if ((end < 0 ? input.length : end) > maxBytes + "\r\n".length) {
    throw new RequestError(status, `chunk: expected the end of a line within ${maxBytes} bytes`);
  }
  if (end < 0) return undefined;
  const line = input.take(end).toString("latin1");
  if (!line.endsWith("\r\n")) throw new RequestError(400, "chunk: expected carriage return and line feed");
  return line.slice(0, -2);
}
