// Reads the bindings of services, with a list of what is wrong in their rules.
import type { DescService } from "@bufbuild/protobuf";
import type { Http } from "../../../gen/google/api/http_pb.js";
import type { Binding, RuleProblem } from "./binding.js";
import { methodName, readMethodRules } from "./method-rules.js";

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
  readonly problems: readonly RuleProblem[];
  /** The items of `withoutRoutes` that name no method. */
  readonly unused: readonly string[];
  /** Selectors of methods whose services are not served, such as the mixins of Google's service configurations. */
  readonly unserved: readonly string[];
}

/**
 * Reads the rules of all methods.
 *
 * @param config rules that replace the annotations of the methods that their selectors name; of several rules for one
 * method the last counts
 */
export function readRules(
  services: readonly DescService[],
  config?: Pick<Http, "rules">,
  { withoutRoutes = [] }: RuleOptions = {},
): Rules {
  const methods = new Map(services.flatMap(({ methods }) => methods.map((method) => [methodName(method), method])));
  const overrides = new Map(config?.rules.map((rule) => [rule.selector, rule]));
  const unknown = [...overrides.keys()].filter((selector) => !methods.has(selector));
  const unserved = unknown.filter((selector) => isUnserved(selector, services));
  const wrong = unknown.filter((selector) => !unserved.includes(selector)).map(describeUnknown);
  const bindings: Binding[] = [];
  const problems: RuleProblem[] = wrong.map((text) => ({ method: undefined, text }));
  for (const [name, method] of methods) {
    if (withoutRoutes.some((selector) => selects(selector, name))) continue;
    const override = overrides.get(name);
    for (const outcome of readMethodRules(method, override)) {
      if (typeof outcome === "string")
        problems.push({ method: override === undefined ? method : undefined, text: outcome });
      else bindings.push(outcome);
    }
  }
  const unused = withoutRoutes.filter((selector) => ![...methods.keys()].some((name) => selects(selector, name)));
  return { bindings, problems, unused, unserved };
}

/** Whether a selector names a method of a service that is not served. */
function isUnserved(selector: string, services: readonly DescService[]): boolean {
  const service = selector.slice(0, Math.max(selector.lastIndexOf("."), 0));
  return service !== "" && !services.some(({ typeName }) => typeName === service);
}

/** Whether a selector of `withoutRoutes` names a method. */
function selects(selector: string, name: string): boolean {
  return selector.endsWith("*") ? name.startsWith(selector.slice(0, -1)) : name === selector;
}

function describeUnknown(selector: string): string {
  return `${selector || '""'}: http rule: expected the name of a method that is served, found no such method`;
}
