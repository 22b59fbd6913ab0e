// A path template of google.api.http as its segments and variables, and how it is written (google/api/http.proto, "Path
// template syntax").

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

/** A syntax error in a template, with its position. */
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

/** Formats a template, each variable in its shortest form. The text parses to an equal template, except for columns. */
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
