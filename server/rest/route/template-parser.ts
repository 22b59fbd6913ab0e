// Parses a path template into segments and variables. The grammar is that of google/api/http.proto under
// "Path template syntax", with one extension: `**` may be followed by a fixed tail.
//
//   Template  = "/" Segments [ Verb ] | "/"
//   Segments  = Segment { "/" Segment }
//   Segment   = "*" | "**" | LITERAL | Variable
//   Variable  = "{" FieldPath [ "=" Segments ] "}"
//   FieldPath = IDENT { "." IDENT }
//   Verb      = ":" LITERAL
import { decodePercent, encodePercent, isPlain, normalizePercent } from "../percent.js";
import { type Segment, type Template, TemplateError, type Variable } from "./template.js";

/** @throws TemplateError if the template breaks the grammar, has two `**`, or a variable twice */
export function parseTemplate(source: string): Template {
  return new Parser(source).template();
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

/** Escapes non-ASCII characters as UTF-8. A lone surrogate stays, and later fails to decode. */
function escapeUnicode(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(/[^\0-\u007f]+/g, (piece) => encodePercent(piece) ?? piece);
}
