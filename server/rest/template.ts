// Turns a path template of google.api.http into its segments and variables, and back. The grammar is that of
// google/api/http.proto under "Path template syntax", with one liberty: `**` may be followed by a fixed tail.
//
//   Template  = "/" Segments [ Verb ] | "/"
//   Segments  = Segment { "/" Segment }
//   Segment   = "*" | "**" | LITERAL | Variable
//   Variable  = "{" FieldPath [ "=" Segments ] "}"
//   FieldPath = IDENT { "." IDENT }
//   Verb      = ":" LITERAL
import { decodePercent, encodePercent, isPlain, normalizePercent } from "./percent.js";

/** What one segment of a path must be: this text (as `normalizePercent` spells it), any, or any number of any. */
export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "single" }
  | { readonly kind: "multi" };

/** A field whose value is the part of the path under the segments `start` to `end` (exclusive). */
export interface Variable {
  /** The names of the field path, `["book", "name"]`. */
  readonly names: readonly string[];
  readonly start: number;
  readonly end: number;
  /** Where the field path stands in the template as it was written, from 1. */
  readonly column: number;
}

/** A template: what a path must look like, and which fields are in it. */
export interface Template {
  readonly segments: readonly Segment[];
  /** In order of appearance. They do not overlap. */
  readonly variables: readonly Variable[];
  /** The literal after the colon, in the spelling of `normalizePercent`; empty if there is none. */
  readonly verb: string;
}

/** Says where a template breaks the grammar. */
export class TemplateError extends Error {
  /** In UTF-16 units, from 1. */
  readonly column: number;
  readonly expected: string;
  readonly found: string;

  constructor(column: number, expected: string, found: string) {
    super(`column ${column}: expected ${expected}, found ${found}`);
    this.name = "TemplateError";
    this.column = column;
    this.expected = expected;
    this.found = found;
  }
}

/** @throws TemplateError if the template breaks the grammar, has two `**`, or a variable twice */
export function parseTemplate(source: string): Template {
  return new Parser(source).template();
}

/** Writes a template, each variable in its shortest form. What it writes parses to an equal template, but for columns. */
export function printTemplate(template: Template): string {
  const texts = template.segments.map(printSegment);
  const pieces: string[] = [];
  let next = 0;
  for (const { names, start, end } of template.variables) {
    const pattern = texts.slice(start, end).join("/");
    const assignment = pattern === "*" ? "" : `=${pattern}`;
    pieces.push(...texts.slice(next, start), `{${names.join(".")}${assignment}}`);
    next = end;
  }
  pieces.push(...texts.slice(next));
  return `/${pieces.join("/")}${template.verb === "" ? "" : `:${template.verb}`}`;
}

/** A segment as it is written. */
export function printSegment(segment: Segment): string {
  if (segment.kind === "literal") return segment.text;
  return segment.kind === "single" ? "*" : "**";
}

/** RFC 3986 pchar without "*", which is a wildcard, and ":", which may begin a verb; and text beyond ASCII. */
const literalText = /(?:[\w.~!$&'()+,;=@-]|[^\0-\u007f])+/y;

const identifier = /[a-z_]\w*/iy;

/** Reads one template from left to right. */
class Parser {
  private position = 0;
  private readonly source: string;
  private readonly segments: Segment[] = [];
  private readonly variables: Variable[] = [];

  constructor(source: string) {
    this.source = source;
  }

  template(): Template {
    this.expect("/");
    if (this.source !== "/") this.segmentList(() => this.segmentOrVariable());
    const verb = this.take(":") ? this.literal("a verb") : "";
    const expected = verb === "" ? '"/", ":" or end of template' : "end of template";
    if (this.position < this.source.length) this.fail(expected);
    return { segments: this.segments, variables: this.variables, verb };
  }

  private segmentList(segment: () => void): void {
    do segment();
    while (this.take("/"));
  }

  private segmentOrVariable(): void {
    if (this.take("{")) this.variable();
    else this.segment('"*", "**", "{" or a literal');
  }

  private segment(expected: string): void {
    if (this.take("**")) this.multiSegment();
    else if (this.take("*")) this.segments.push({ kind: "single" });
    else this.segments.push({ kind: "literal", text: this.literal(expected) });
  }

  private multiSegment(): void {
    const isSecond = this.segments.some(({ kind }) => kind === "multi");
    if (isSecond) throw new TemplateError(this.position - 1, 'at most one "**"', 'a second "**"');
    this.segments.push({ kind: "multi" });
  }

  private variable(): void {
    const column = this.position + 1;
    const start = this.segments.length;
    const names = this.fieldPath();
    if (this.take("=")) {
      this.segmentList(() => this.segment('"*", "**" or a literal'));
      this.expect("}", '"/" or "}"');
    } else {
      this.segments.push({ kind: "single" });
      this.expect("}", '"}" or "="');
    }
    const name = names.join(".");
    const isSecond = this.variables.some((other) => other.names.join(".") === name);
    if (isSecond) throw new TemplateError(column, "each variable once", `"${name}" again`);
    this.variables.push({ names, start, end: this.segments.length, column });
  }

  private fieldPath(): string[] {
    const names: string[] = [];
    do {
      const name = this.match(identifier);
      if (name === "") this.fail("a field name");
      names.push(name);
      this.position += name.length;
    } while (this.take("."));
    return names;
  }

  private literal(expected: string): string {
    const start = this.position;
    while (this.takeLiteral());
    if (this.position === start) this.fail(expected);
    const text = escapeUnicode(this.source.slice(start, this.position));
    if (decodePercent(text) !== undefined) return normalizePercent(text);
    throw new TemplateError(start + 1, "UTF-8 without NUL", JSON.stringify(this.source.slice(start, this.position)));
  }

  /** Whether more of a literal follows, which is then passed. */
  private takeLiteral(): boolean {
    const start = this.position;
    const character = this.source.charAt(start);
    if (character === "%") this.takeEscape();
    else if (character === ":") this.position += this.source.includes("/", start) ? 1 : 0;
    else this.position += this.match(literalText).length;
    return this.position > start;
  }

  private takeEscape(): void {
    const escaped = this.source.slice(this.position, this.position + 3);
    if (!/^%[\da-f]{2}$/i.test(escaped)) {
      throw new TemplateError(this.position + 1, '"%" and two hexadecimal digits', JSON.stringify(escaped));
    }
    this.position += 3;
  }

  /** The text here that a sticky pattern matches; empty if it does not. */
  private match(pattern: RegExp): string {
    pattern.lastIndex = this.position;
    return pattern.exec(this.source)?.[0] ?? "";
  }

  private take(token: string): boolean {
    const isHere = this.source.startsWith(token, this.position);
    if (isHere) this.position += token.length;
    return isHere;
  }

  private expect(token: string, expected = `"${token}"`): void {
    if (!this.take(token)) this.fail(expected);
  }

  private fail(expected: string): never {
    const next = this.source.codePointAt(this.position);
    const found = next === undefined ? "end of template" : JSON.stringify(String.fromCodePoint(next));
    throw new TemplateError(this.position + 1, expected, found);
  }
}

/** Escapes what is beyond ASCII as UTF-8. A lone surrogate stays, and then fails to decode. */
function escapeUnicode(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(/[^\0-\u007f]+/g, (piece) => encodePercent(piece) ?? piece);
}
