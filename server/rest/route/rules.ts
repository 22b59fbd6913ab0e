// Reads the bindings of services: the google.api.http option of each method, or the rules of a service
// configuration in its place (google/api/http.proto, "Using gRPC API Service Configuration").
import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "../../../gen/google/api/annotations_pb.js";
import type { Http, HttpRule } from "../../../gen/google/api/http_pb.js";
import { type Binding, bindRule, RuleError } from "./binding.js";
import { TemplateError } from "./template.js";

/** A developer's mistake in the rules, which must stop the start. */
export class RoutingError extends Error {
  /** One sentence for each mistake, beginning with the name of the method. Never empty. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "RoutingError";
    this.problems = problems;
  }
}

/** Options of reading rules. */
export interface RuleOptions {
  /**
   * Methods that get no route, whatever their rules say: `package.Service.Method`, `package.Service.*` for all methods of a
   * service, or `*` for all. Default: none.
   */
  readonly withoutRoutes?: readonly string[];
}

/** The rules of services, read. */
export interface Rules {
  /** In the order of the services, their methods, and each method's rules. */
  readonly bindings: readonly Binding[];
  /** A sentence for each mistake, beginning with the name of the method. */
  readonly problems: readonly string[];
  /** Selectors of methods whose services are not served, such as the mixins of Google's service configurations. */
  readonly unserved: readonly string[];
}

/**
 * Reads the rules of all methods.
 *
 * @param config rules that replace the annotations of the methods that their selectors name; of several rules for one
 * method the last counts
 * @throws RangeError if an item of `withoutRoutes` names no method
 */
export function readRules(
  services: readonly DescService[],
  config?: Pick<Http, "rules">,
  { withoutRoutes = [] }: RuleOptions = {},
): Rules {
  const methods = new Map(services.flatMap(({ methods }) => methods.map((method) => [nameOf(method), method])));
  checkSelectors(withoutRoutes, [...methods.keys()]);
  const overrides = new Map(config?.rules.map((rule) => [rule.selector, rule]));
  const unknown = [...overrides.keys()].filter((selector) => !methods.has(selector));
  const unserved = unknown.filter((selector) => isUnserved(selector, services));
  const wrong = unknown.filter((selector) => !unserved.includes(selector)).map(describeUnknown);
  const outcomes = [...methods].flatMap(([name, method]) => {
    if (withoutRoutes.some((selector) => selects(selector, name))) return [];
    const override = overrides.get(name);
    if (override !== undefined) return readRule(method, `${name}: http rule`, override);
    return hasOption(method, http) ? readRule(method, `${name}: google.api.http`, getOption(method, http)) : [];
  });
  return {
    bindings: outcomes.filter((outcome) => typeof outcome !== "string"),
    problems: [...wrong, ...outcomes.filter((outcome) => typeof outcome === "string")],
    unserved,
  };
}

/** The name by which selectors and errors call a method: `package.Service.Method`. */
function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}

/** Whether a selector names a method of a service that is not served. */
function isUnserved(selector: string, services: readonly DescService[]): boolean {
  const service = selector.slice(0, Math.max(selector.lastIndexOf("."), 0));
  return service !== "" && !services.some(({ typeName }) => typeName === service);
}

/** A selector without a method is a typing mistake. */
function checkSelectors(selectors: readonly string[], names: readonly string[]): void {
  const useless = selectors.find((selector) => !names.some((name) => selects(selector, name)));
  if (useless === undefined) return;
  const found = JSON.stringify(useless);
  throw new RangeError(`rest.withoutRoutes: expected the name of a method that is served, found ${found}`);
}

/** Whether a selector of `withoutRoutes` names a method. */
function selects(selector: string, name: string): boolean {
  return selector.endsWith("*") ? name.startsWith(selector.slice(0, -1)) : name === selector;
}

function describeUnknown(selector: string): string {
  return `${selector || '""'}: http rule: expected the name of a method that is served, found no such method`;
}

/** The bindings of one rule, its own and the additional ones; a text instead of each that is wrong. */
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
