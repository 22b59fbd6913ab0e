// Encodes fields of a message as the path of a request, by the expansion of templates in google/api/http.proto,
// "Path template syntax".
import type { DescField, Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { hasImplicitPresence, isNested, type MessageField, printFieldPath } from "../fields.js";
import { decodePercent, decodeSegments, encodePercent } from "../percent.js";
import type { Binding } from "../route/binding.js";
import { printSegment, type Segment } from "../route/template.js";
import { type Printer, printerOf } from "./print.js";
import { unfit } from "./unfit.js";

/** Writes the paths of one binding. */
interface PathWriter {
  /** @throws UnfitError if the message has no value for a variable, or one that the template does not match */
  write(message: Message): string;
  /** Whether every variable has a value that is not its default. */
  isTelling(message: Message): boolean;
}

/** The field of a variable. */
interface Place {
  /** The fields that lead to the message that has the field. */
  readonly parents: readonly MessageField[];
  readonly field: DescField;
  readonly print: Printer;
  /** The field path in proto names. */
  readonly name: string;
}

/** A part of a template: a variable, or one segment that belongs to none. */
interface Piece {
  readonly pattern: readonly Segment[];
  readonly variable: { readonly place: Place; readonly isMultiSegment: boolean } | undefined;
}

/** Prepares the writing of paths. */
export function createPathWriter(binding: Binding): PathWriter {
  const { input } = binding.method;
  const { verb } = binding.template;
  const pieces = cut(binding);
  const places = pieces.flatMap(({ variable }) => variable?.place ?? []);
  return {
    write: (message) => {
      const root = reflect(input, message, false);
      const segments = pieces.flatMap((piece) => expand(piece, root));
      return `/${segments.join("/")}${verb === "" ? "" : `:${verb}`}`;
    },
    isTelling: (message) => {
      const root = reflect(input, message, false);
      return places.every((place) => parentOf(root, place)?.isSet(place.field) === true);
    },
  };
}

function cut({ template, variables }: Binding): Piece[] {
  return [...template.segments.keys()].flatMap((index) => {
    const position = template.variables.findIndex(({ start, end }) => start <= index && index < end);
    const { start, end } = template.variables[position] ?? { start: index, end: index + 1 };
    if (start !== index) return [];
    const variable = variables[position];
    const place = variable && createPlace(variable.fields);
    const isMultiSegment = variable?.isMultiSegment === true;
    return { pattern: template.segments.slice(start, end), variable: place && { place, isMultiSegment } };
  });
}

function createPlace(fields: readonly DescField[]): Place | undefined {
  const field = fields.at(-1);
  const print = field && printerOf(field);
  return print && { parents: fields.slice(0, -1).filter(isNested), field, print, name: printFieldPath(fields) };
}

function expand({ pattern, variable }: Piece, root: ReflectMessage): string[] {
  if (variable === undefined) return pattern.flatMap(expandUnbound);
  const { place, isMultiSegment } = variable;
  const text = textOf(root, place);
  const parts = isMultiSegment ? splitPath(text) : [text];
  const segments = match(pattern, parts, isMultiSegment ? decodeLiterals : decodePercent);
  if (segments === undefined) {
    const expected = pattern.map(printSegment).join("/");
    throw unfit(place.name, `${JSON.stringify(text)} does not match ${JSON.stringify(expected)}`);
  }
  // A URL parser on the way would resolve these as dot segments, and call another path (RFC 3986 section 5.2.4).
  if (segments.includes(".") || segments.includes(".."))
    throw unfit(place.name, 'a path cannot have "." or ".." in it');
  return segments;
}

/** No field says what such a segment is to be, and nothing is what only `**` can be. */
function expandUnbound(segment: Segment): string[] {
  if (segment.kind === "single") throw unfit("*", "no field says what to put there");
  return segment.kind === "literal" ? [segment.text] : [];
}

function splitPath(text: string): string[] {
  return text === "" ? [] : text.split("/");
}

/** The text of a literal in a value of several segments. */
function decodeLiterals(raw: string): string {
  return decodeSegments(raw, "slash");
}

/** @returns the parts, encoded; undefined if they do not match */
function match(
  pattern: readonly Segment[],
  parts: readonly string[],
  decode: (raw: string) => string | undefined,
): string[] | undefined {
  const multi = pattern.findIndex(({ kind }) => kind === "multi");
  const surplus = parts.length - pattern.length;
  if (multi < 0 ? surplus !== 0 : surplus < -1) return undefined;
  const segments = parts.map((part, index) => {
    if (multi >= 0 && multi <= index && index <= multi + surplus) return encodePercent(part);
    const segment = pattern[multi >= 0 && index >= multi ? index - surplus : index];
    if (segment?.kind === "literal") return decode(segment.text) === part ? segment.text : undefined;
    return part === "" ? undefined : encodePercent(part);
  });
  return segments.every((segment) => segment !== undefined) ? segments : undefined;
}

/** @throws UnfitError if the field is not set, and has presence, so that setting it would change the message */
function textOf(root: ReflectMessage, place: Place): string {
  const { field, print, name } = place;
  const parent = parentOf(root, place);
  const isThere = parent !== undefined && (parent.isSet(field) || hasImplicitPresence(field));
  if (!isThere) throw unfit(name, "is not set, and the path needs it");
  const text = print(parent.get(field));
  if (text === undefined) throw unfit(name, "has a value that has no text");
  return text;
}

/** The parent message; undefined if a message in the path is not set. */
function parentOf(root: ReflectMessage, { parents }: Place): ReflectMessage | undefined {
  let message = root;
  for (const field of parents) {
    if (!message.isSet(field)) return undefined;
    message = message.get(field);
  }
  return message;
}
