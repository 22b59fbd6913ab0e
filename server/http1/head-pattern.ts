// Heads of a connection that are alike but for a few lines, such as an id of the request or the length of its body: of those that
// follow, only these lines are read.
import { type FieldLine, readFieldLine } from "./field-line.js";
import type { Input } from "./input.js";
import { type RequestHead, readRequestLine } from "./request-head.js";

/** Heads that differ in more lines are read whole. */
const maxChanging = 4;
const lineEndBytes = 2;

/** A head, and which lines of it differ from one to the next. */
export class HeadPattern {
  readonly head: RequestHead;
  /** Places of the lines that differ, in order: 0 is the request line. */
  readonly #changing: readonly number[];
  /** What stands before, between and after those lines. */
  readonly #parts: readonly Buffer[];

  /**
   * @param bytes of the head, with the empty line at its end. They are kept
   * @param before the pattern of the head before it
   */
  constructor(bytes: Buffer, head: RequestHead, before: HeadPattern | undefined) {
    this.head = head;
    this.#changing = before === undefined ? [] : changingLines(head, before.head, before.#changing);
    this.#parts = cut(bytes, head, this.#changing);
  }

  /**
   * Takes a head like this one: this one itself if no line differs. Returns undefined if something else comes, if it has not
   * come whole, or if it is over `maxBytes`; nothing is taken then.
   *
   * @throws RequestError if a line is malformed
   */
  read(input: Input, maxBytes: number): RequestHead | undefined {
    const parts = this.#parts;
    const lines: string[] = [];
    let at = 0;
    for (let index = 0; index < parts.length; index++) {
      if (index > 0) {
        const end = input.endOfLine(at) - lineEndBytes;
        // An empty line would be the end of another head.
        if (end <= at) return undefined;
        lines.push(input.text(at, end));
        at = end;
      }
      const part = parts[index] as Buffer;
      if (!input.hasAt(at, part)) return undefined;
      at += part.length;
    }
    if (at > maxBytes) return undefined;
    const head = this.#headOf(lines);
    if (head !== undefined) input.drop(at);
    return head;
  }

  /** The head with these lines that differ, or undefined if a field has another name. */
  #headOf(lines: readonly string[]): RequestHead | undefined {
    let { line } = this.head;
    const fields = [...this.head.fields];
    const changes: FieldLine[] = [];
    for (const [index, text] of lines.entries()) {
      const place = this.#changing[index] as number;
      if (place === 0) {
        if (text !== line.text) line = readRequestLine(text);
        continue;
      }
      const known = fields[place - 1] as FieldLine;
      if (text === known.text) continue;
      const field = readFieldLine(text);
      if (field.name !== known.name) return undefined;
      fields[place - 1] = field;
      changes.push(field);
    }
    const isSame = changes.length === 0 && line === this.head.line;
    return isSame ? this.head : this.head.with(line, fields, changes);
  }
}

/** Where two heads differ, and those before them did. None if that is in too many lines. */
function changingLines(head: RequestHead, before: RequestHead, changedBefore: readonly number[]): readonly number[] {
  const [lines, known] = [linesOf(head), linesOf(before)];
  if (lines.length !== known.length) return [];
  const changing = lines.flatMap((line, place) =>
    line !== known[place] || changedBefore.includes(place) ? place : [],
  );
  return changing.length > maxChanging ? [] : changing;
}

/** The lines, of which two heads of a connection share those that are the same. */
function linesOf({ line, fields }: RequestHead): readonly { readonly text: string }[] {
  return [line, ...fields];
}

/** Returns what of the bytes is left before, between and after the lines at some places. */
function cut(bytes: Buffer, head: RequestHead, places: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let [start, end] = [0, 0];
  for (const [place, { text }] of linesOf(head).entries()) {
    if (places.includes(place)) {
      parts.push(bytes.subarray(start, end));
      start = end + text.length;
    }
    end += text.length + lineEndBytes;
  }
  return [...parts, bytes.subarray(start)];
}
