// Turns the template of a route into a path of OpenAPI, whose parameters are one segment each: a variable of several
// segments becomes its literals with a parameter for each wildcard, named after the literal before it.

import { printFieldPath } from "../rest/fields.js";
import type { Binding, BoundVariable } from "../rest/route/binding.js";
import type { Segment, Variable } from "../rest/route/template.js";
import type { Comments } from "./comments.js";
import { optionDescription } from "./gateway-schema-options.js";
import type { MessageSchemas } from "./message-schema.js";
import { singular, withoutWildcards } from "./resource-names.js";
import { textSchema } from "./text-schema.js";
import type { Parameter } from "./types.js";

/** A path with its parameters, in order of appearance. */
interface ExpandedPath {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** For each parameter the field that it is; undefined for a part of a field, and for no field. */
  readonly fieldNames: readonly (string | undefined)[];
}

/** Expands the template of one binding. */
export function expandPath(binding: Binding, schemas: MessageSchemas, comments: Comments): ExpandedPath {
  const { segments, variables, verb } = binding.template;
  const parameters: Parameter[] = [];
  const fieldNames: (string | undefined)[] = [];
  const add = (name: string, parameter: Omit<Parameter, "name" | "in">, fieldName?: string): string => {
    const unique = uniqueName(name, parameters);
    parameters.push({ name: unique, in: "path", required: true, ...parameter });
    fieldNames.push(fieldName);
    return `{${unique}}`;
  };
  const pieces = segments.map((segment, index) => {
    if (segment.kind === "literal") return segment.text;
    const at = variables.findIndex(({ start, end }) => start <= index && index < end);
    const variable = variables[at];
    const bound = binding.variables[at];
    if (variable === undefined || bound === undefined) return add("any", { schema: anyText, ...anySegment(segment) });
    if (variable.end - variable.start > 1) return add(...partOf(segments, index, variable));
    const name = printFieldPath(bound.fields);
    return add(name, wholeOf(bound, segment, schemas, comments), name);
  });
  return { path: `/${pieces.join("/")}${verb === "" ? "" : `:${verb}`}`, parameters, fieldNames };
}

const anyText = { type: "string", minLength: 1 };
const mayHaveSlashes = "It may have several segments, with `/` between.";

function anySegment({ kind }: Segment): { description: string } {
  return { description: kind === "multi" ? `Any text. ${mayHaveSlashes}` : "Any text." };
}

/** A variable of one segment is a field's value as a whole. */
function wholeOf({ fields }: BoundVariable, { kind }: Segment, schemas: MessageSchemas, comments: Comments) {
  const field = fields.at(-1);
  if (field === undefined) throw new Error("a binding has a variable without a field");
  const schema = textSchema(field, schemas);
  const comment = optionDescription(field) ?? comments.get(`${field.parent.typeName}.${field.name}`);
  const description = [comment ?? [], kind === "multi" ? mayHaveSlashes : []].flat().join(" ");
  // An empty segment matches no variable.
  const filled = schema.type === "string" ? { minLength: 1 } : {};
  return {
    ...(description === "" ? {} : { description }),
    ...(field.deprecated ? { deprecated: true } : {}),
    schema: { ...filled, ...schema },
  };
}

/** One wildcard of a variable that has several segments. */
function partOf(
  segments: readonly Segment[],
  index: number,
  variable: Variable,
): [string, Omit<Parameter, "name" | "in">] {
  const before = segments[index - 1];
  const field = variable.names.join(".");
  const name = before?.kind === "literal" ? singular(before.text) : (variable.names.at(-1) ?? "");
  const note = segments[index]?.kind === "multi" ? ` ${mayHaveSlashes}` : "";
  const pattern = segments.slice(variable.start, variable.end).map((segment) => {
    return segment.kind === "literal" ? segment.text : segment.kind === "single" ? "*" : "**";
  });
  return [
    name,
    {
      description: `A part of \`${field}\`, which is \`${withoutWildcards(pattern.join("/"))}\`.${note}`,
      schema: anyText,
    },
  ];
}

function uniqueName(name: string, taken: readonly Parameter[]): string {
  const names = new Set(taken.map((parameter) => parameter.name));
  let unique = name;
  for (let count = 2; names.has(unique); count++) unique = `${name}_${count}`;
  return unique;
}
