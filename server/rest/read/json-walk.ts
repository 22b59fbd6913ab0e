// Visits the members of JSON objects without reading their values (https://www.rfc-editor.org/rfc/rfc8259). The text
// must be valid JSON: a reader has accepted it before.
import {
  backslash,
  closeArray,
  closeObject,
  colon,
  comma,
  isBlank,
  openArray,
  openObject,
  quote,
} from "./json-bytes.js";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A place in a JSON text, before a value. */
export class JsonWalk {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether the next value is an object. */
  isObject(): boolean {
    return this.#peek() === openObject;
  }

  /** Whether the next value, an object, has no members. */
  isEmptyObject(): boolean {
    let next = this.#at + 1;
    while (isBlank(this.#bytes[next])) next++;
    return this.#bytes[next] === closeObject;
  }

  /** Calls for each member of the next value, an object. `read` returns false if it has left the value of the member unread. */
  eachMember(read: (name: string) => boolean): void {
    this.#at++;
    for (let byte = this.#peek(); byte !== closeObject && byte !== undefined; byte = this.#peek()) {
      const name = this.#readName();
      this.#take(colon);
      this.#peek();
      if (!read(name)) this.#skipValue();
      this.#take(comma);
    }
    this.#at++;
  }

  /** The next byte that is not white space. */
  #peek(): number | undefined {
    while (isBlank(this.#bytes[this.#at])) this.#at++;
    return this.#bytes[this.#at];
  }

  #take(sign: number): void {
    if (this.#peek() === sign) this.#at++;
  }

  #readName(): string {
    const start = this.#at;
    const hasEscapes = this.#skipText();
    const text = decoder.decode(this.#bytes.subarray(start, this.#at));
    return hasEscapes ? (JSON.parse(text) as string) : text.slice(1, -1);
  }

  /** Returns whether the text has escape sequences. */
  #skipText(): boolean {
    let hasEscapes = false;
    this.#at++;
    for (let byte = this.#bytes[this.#at]; byte !== quote && byte !== undefined; byte = this.#bytes[++this.#at]) {
      if (byte !== backslash) continue;
      hasEscapes = true;
      this.#at++;
    }
    this.#at++;
    return hasEscapes;
  }

  #skipValue(): void {
    let depth = 0;
    for (let byte = this.#peek(); byte !== undefined; byte = this.#bytes[this.#at]) {
      const isEnd = byte === comma || byte === closeObject || byte === closeArray;
      if (depth === 0 && isEnd) return;
      if (byte === quote) {
        this.#skipText();
        continue;
      }
      if (byte === openObject || byte === openArray) depth++;
      else if (byte === closeObject || byte === closeArray) depth--;
      this.#at++;
    }
  }
}
