// Reads a YAML file (https://yaml.org/spec/1.2.2/), or JSON, which is YAML, too, with the places of its values.
import { type Document, Lexer, LineCounter, Parser, parseDocument } from "yaml";
import { SettingError } from "../program/setting-error.js";
import { readSettingFile } from "../program/setting-file.js";

/** A file without syntax errors. */
export interface YamlFile {
  readonly document: Document.Parsed;
  /** `proxy.yaml: line 3, column 7`. */
  placeOf(offset: number): string;
  lineOf(offset: number): number;
}

export interface YamlFileOptions {
  /** Name of the setting, for the error if the file cannot be read. */
  readonly name: string;
  readonly path: string;
  /** How other errors begin. */
  readonly place: string;
  readonly maxBytes: number;
  /** Whether a key that occurs twice is an error. Takes time by the square of the keys. */
  readonly uniqueKeys?: boolean;
}

/** @throws SettingError with a line for each syntax error, or one if the file cannot be read */
export function readYamlFile({ name, path, place, maxBytes, uniqueKeys = true }: YamlFileOptions): YamlFile {
  const text = decode(readSettingFile(name, path, maxBytes), place);
  if (isDeep(text)) throw new SettingError(`${place}: expected fewer levels of nesting`, 1);
  const lines = new LineCounter();
  const placeOf = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${place}: line ${line}, column ${col}`;
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys });
  const problems = [...document.errors, ...document.warnings].map(
    ({ pos, code, message }) => `${placeOf(pos[0])}: ${messages.get(code) ?? message}`,
  );
  if (problems.length > 0) throw new SettingError(problems.slice(0, maxProblems).join("\n"), 1);
  return { document, placeOf, lineOf: (offset) => lines.linePos(offset).line };
}

/** The file as data. @throws SettingError if its aliases stand for too much */
export function toData({ document }: YamlFile, place: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new SettingError(`${place}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

/** More lines help no reader. */
export const maxProblems = 20;

/** Better than those of the parser. */
const messages: ReadonlyMap<string, string> = new Map([["MULTIPLE_DOCS", "expected one document, found another"]]);

function decode(bytes: Buffer, place: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SettingError(`${place}: expected UTF-8, found other bytes`, 1);
  }
}

/** Levels of the parser, of which a list in a mapping has a few. */
const maxDepth = 200;

/**
 * Whether the text has more levels than `parseDocument` should see: it calls itself for each, and where the stack ends within a
 * regular expression, Node ends the process.
 */
function isDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // Builds trees without calling itself.
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > maxDepth) return true;
  }
  return false;
}
