// Reads the bindings of one method: its google.api.http option, or a rule of a service configuration in its place
// (google/api/http.proto, "Using gRPC API Service Configuration").
import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "../../../gen/google/api/annotations_pb.js";
import type { HttpRule } from "../../../gen/google/api/http_pb.js";
import { type Binding, bindRule, RuleError } from "./binding.js";
import { TemplateError } from "./template.js";

/** The name by which selectors and errors call a method: `package.Service.Method`. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}

/**
 * Reads the rule of a method and its additional ones.
 *
 * @param override the rule that replaces the option
 * @returns the bindings, and a text instead of each that is wrong, which begins with the name of the method
 */
export function readMethodRules(method: DescMethod, override?: HttpRule): (Binding | string)[] {
  const name = methodName(method);
  if (override !== undefined) return readRule(method, `${name}: http rule`, override);
  return hasOption(method, http) ? readRule(method, `${name}: google.api.http`, getOption(method, http)) : [];
}

function readRule(method: DescMethod, origin: string, rule: HttpRule): (Binding | string)[] {
  const isNested = rule.additionalBindings.some((additional) => additional.additionalBindings.length > 0);
  const nesting = `${origin}: expected additional_bindings without their own additional_bindings, found some with`;
  const outcomes = [rule, ...rule.additionalBindings].map((one) => tryBind(method, origin, one));
  return isNested ? [nesting, ...outcomes] : outcomes;
}

function tryBind(method: DescMethod, origin: string, rule: HttpRule): Binding | string {
  const { name, httpMethod, template } = patternOf(rule);
  const label = name === "" ? origin : `${origin} ${name} ${JSON.stringify(template)}`;
  try {
    checkHttpMethod(httpMethod);
    return bindRule({ method, httpMethod, template, body: rule.body, responseBody: rule.responseBody, label });
  } catch (error) {
    if (!(error instanceof RuleError) && !(error instanceof TemplateError)) throw error;
    return `${label}: ${error.message}`;
  }
}

function patternOf(rule: HttpRule): { name: string; httpMethod: string; template: string } {
  const { pattern } = rule;
  if (pattern.case === undefined) return { name: "", httpMethod: "", template: "" };
  if (pattern.case !== "custom") {
    return { name: pattern.case, httpMethod: pattern.case.toUpperCase(), template: pattern.value };
  }
  const { kind, path } = pattern.value;
  return { name: `custom ${JSON.stringify(kind)}`, httpMethod: kind, template: path };
}

/** A method in small letters would be another method than the one that clients send, and never match (RFC 9110, 9.1). */
function checkHttpMethod(httpMethod: string): void {
  if (httpMethod === "*" || /^[A-Z][A-Z0-9_-]*$/.test(httpMethod)) return;
  const found = httpMethod === "" ? "none" : JSON.stringify(httpMethod);
  throw new RuleError(`expected an HTTP method in capitals or "*", found ${found}`);
}
