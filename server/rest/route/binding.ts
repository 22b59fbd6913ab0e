// Resolves a google.api.HttpRule of a method to a binding: its template, with a field for every name.
import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { fieldsByName, isHttpBody, isNested, isTextMessage, type MessageField, printFieldPath } from "../fields.js";
import { type Template, TemplateError, type Variable } from "./template.js";
import { parseTemplate } from "./template-parser.js";

/** One way to call one method over HTTP. */
export interface Binding {
  readonly method: DescMethod;
  /** "GET", or "*" for any. */
  readonly httpMethod: string;
  readonly template: Template;
  /** The fields of `template.variables`, in the same order. */
  readonly variables: readonly BoundVariable[];
  readonly requestBody: BodyBinding;
  readonly responseBody: Exclude<BodyBinding, { kind: "none" }>;
  /** How errors name it: `hello_world.Greeter.SayHello: google.api.http post "/v1/example/echo"`. */
  readonly label: string;
}

/** A variable of a path, resolved. */
export interface BoundVariable {
  /** The field, after the message fields that lead to it. Never empty. */
  readonly fields: readonly DescField[];
  /** Whether "/" may occur in its value, and separates there. */
  readonly isMultiSegment: boolean;
}

/**
 * What of a message is the body: nothing, JSON, or the bytes of a google.api.HttpBody. Without a field it is the whole
 * message; less what the path binds, for a request.
 */
export type BodyBinding =
  | { readonly kind: "none" }
  | { readonly kind: "json"; readonly field: DescField | undefined }
  | { readonly kind: "bytes"; readonly field: MessageField | undefined };

/** A rule before its names are resolved. */
export interface Rule {
  readonly method: DescMethod;
  readonly httpMethod: string;
  readonly template: string;
  readonly body: string;
  readonly responseBody: string;
  readonly label: string;
}

/** A mistake in a rule. The message follows the label of the rule. */
export class RuleError extends Error {}

/** A mistake in the rules of services. */
export interface RuleProblem {
  /** Whose rule it is; undefined for a rule of a service configuration that cannot be used. */
  readonly method: DescMethod | undefined;
  /** A sentence, which begins with the name of the method. */
  readonly text: string;
}

/** @throws TemplateError or RuleError */
export function bindRule(rule: Rule): Binding {
  const { method, httpMethod, label } = rule;
  const template = parseTemplate(rule.template);
  const variables = template.variables.map((variable) => bindVariable(method.input, template, variable));
  checkOneofs(template, variables);
  const requestBody = bindBody(method.input, rule.body, "body");
  checkRequestBody(requestBody, variables);
  const responseBody = bindBody(method.output, rule.responseBody === "" ? "*" : rule.responseBody, "response_body");
  if (rule.responseBody === "*" || responseBody.kind === "none")
    throw unknownField("response_body", "*", method.output);
  return { method, httpMethod, label, template, variables, requestBody, responseBody };
}

function bindVariable(input: DescMessage, template: Template, variable: Variable): BoundVariable {
  const fields: DescField[] = [];
  let desc = input;
  let column = variable.column;
  for (const name of variable.names) {
    const isLast = fields.length === variable.names.length - 1;
    const field = bindName(desc, name, column, isLast);
    fields.push(field);
    if (isNested(field)) desc = field.message;
    column += name.length + 1;
  }
  const { start, end } = variable;
  const isMultiSegment = end - start > 1 || template.segments[start]?.kind === "multi";
  return { fields, isMultiSegment };
}

function bindName(desc: DescMessage, name: string, column: number, isLast: boolean): DescField {
  const field = desc.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new TemplateError(column, `a field of ${desc.typeName}`, JSON.stringify(name));
  if (isLast ? isPathField(field) : isNested(field)) return field;
  const expected = isLast ? "a field that is one scalar, enum, or well-known scalar" : "a field that is one message";
  throw new TemplateError(column, expected, `${describe(field)} ${JSON.stringify(name)}`);
}

function isPathField(field: DescField): boolean {
  if (field.fieldKind === "message") return isTextMessage(field.message);
  return field.fieldKind === "scalar" || field.fieldKind === "enum";
}

function describe(field: DescField): string {
  return field.fieldKind === "message" ? `the message ${field.message.typeName}` : `the ${field.fieldKind}`;
}

/** Two members of a oneof in one path: setting the second would unset the first. */
function checkOneofs(template: Template, variables: readonly BoundVariable[]): void {
  variables.forEach(({ fields }, index) => {
    const rival = variables.slice(0, index).find((other) => areRivals(other.fields, fields));
    if (rival === undefined) return;
    const expected = `a field that can be set beside ${JSON.stringify(printFieldPath(rival.fields))}`;
    const column = template.variables[index]?.column ?? 1;
    throw new TemplateError(column, expected, `${JSON.stringify(printFieldPath(fields))} of the same oneof`);
  });
}

/** Whether two field paths part at two members of one oneof. */
function areRivals(a: readonly DescField[], b: readonly DescField[]): boolean {
  const index = a.findIndex((field, position) => field !== b[position]);
  const oneof = a[index]?.oneof;
  return oneof !== undefined && oneof === b[index]?.oneof;
}

function bindBody(desc: DescMessage, name: string, setting: string): BodyBinding {
  if (name === "") return { kind: "none" };
  if (name === "*") return { kind: isHttpBody(desc) ? "bytes" : "json", field: undefined };
  const field = fieldsByName(desc).get(name);
  if (field === undefined || field.name !== name) throw unknownField(setting, name, desc);
  const isBytes = field.fieldKind === "message" && isHttpBody(field.message);
  return isBytes ? { kind: "bytes", field } : { kind: "json", field };
}

function unknownField(setting: string, name: string, desc: DescMessage): RuleError {
  return new RuleError(`${setting}: expected a field of ${desc.typeName}, found ${JSON.stringify(name)}`);
}

function checkRequestBody(body: BodyBinding, variables: readonly BoundVariable[]): void {
  if (body.kind === "none" || body.field === undefined) return;
  const { field } = body;
  const found = JSON.stringify(field.name);
  for (const { fields } of variables) {
    if (fields.length === 1 && fields[0] === field) {
      throw new RuleError(`body: expected a field that the path does not bind, found ${found}`);
    }
    if (areRivals(fields, [field])) {
      const rival = JSON.stringify(printFieldPath(fields));
      throw new RuleError(`body: expected a field that can be set beside ${rival}, found ${found} of the same oneof`);
    }
  }
}
