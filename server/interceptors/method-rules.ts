// Rules of interceptors by method: which rule is for a call.
import type { DescMethod } from "@bufbuild/protobuf";
import { describeValue, quote } from "../quote.js";
import { didYouMean } from "../suggest.js";

/** The methods that a rule is for: `package.Service/Method`, `package.Service/*`, or `*` for all; or a list of them. */
export type MethodPatterns = string | readonly string[];

/** A rule for some methods. */
export interface MethodRule {
  readonly methods: MethodPatterns;
}

/** `*`, `package.Service/*` or `package.Service/Method`. */
const patternForm = /^(?:\*|\w+(?:\.\w+)*\/(?:\*|\w+))$/;

/**
 * Finds the rule of a method. A rule for `package.Service/Method` counts before one for `package.Service/*`, and that before
 * one for `*`. Of two rules with the same pattern the later one counts.
 */
export class MethodRules<Rule extends MethodRule> {
  readonly #name: string;
  readonly #rules = new Map<string, Rule>();
  /** Methods that were looked up. A reload makes other descriptors, and drops the old ones. */
  readonly #found = new WeakMap<DescMethod, { readonly rule: Rule | undefined }>();

  /**
   * @param name of the option with the rules, such as `jwt: rules`, for errors
   * @throws TypeError that names the rule without valid `methods`
   */
  constructor(name: string, rules: readonly Rule[]) {
    this.#name = name;
    if (!Array.isArray(rules)) throw new TypeError(`${name}: expected an array, found ${describeValue(rules)}`);
    for (const [index, rule] of rules.entries()) {
      for (const pattern of readRule(`${name}[${index}]`, rule)) this.#rules.set(pattern, rule);
    }
  }

  /** Returns the rule for a method, if there is one. */
  find(method: DescMethod): Rule | undefined {
    const found = this.#found.get(method) ?? { rule: this.#look(method) };
    this.#found.set(method, found);
    return found.rule;
  }

  #look(method: DescMethod): Rule | undefined {
    return patternsOf(method)
      .map((pattern) => this.#rules.get(pattern))
      .find((rule) => rule !== undefined);
  }

  /** Returns a sentence for each pattern that matches none of the methods, such as a misspelt one. */
  readonly listUnmatched = (methods: readonly DescMethod[]): readonly string[] => {
    const known = new Set(methods.flatMap(patternsOf));
    const unmatched = [...this.#rules.keys()].filter((pattern) => pattern !== "*" && !known.has(pattern));
    return unmatched.map(
      (pattern) => `${this.#name}: ${quote(pattern)} matches no method${didYouMean(pattern, [...known])}`,
    );
  };
}

/** The patterns that match a method, the most exact one first. */
function patternsOf({ parent, name }: DescMethod): string[] {
  return [`${parent.typeName}/${name}`, `${parent.typeName}/*`, "*"];
}

/**
 * Makes what says whether a method is among those that an interceptor is for.
 *
 * @param name of the option, such as `rateLimit: methods`, for errors
 * @throws TypeError that names it
 */
export function selectMethods(name: string, methods: MethodPatterns): (method: DescMethod) => boolean {
  const patterns = new Set(readPatterns(name, methods));
  return (method) => patternsOf(method).some((pattern) => patterns.has(pattern));
}

function readRule(name: string, rule: MethodRule): readonly string[] {
  if (typeof rule !== "object" || rule === null) {
    throw new TypeError(`${name}: expected a rule such as { methods: "*" }, found ${describeValue(rule)}`);
  }
  return readPatterns(`${name}.methods`, rule.methods);
}

function readPatterns(name: string, methods: unknown): readonly string[] {
  const patterns: readonly unknown[] = [methods].flat();
  return patterns.map((pattern) => {
    if (typeof pattern === "string" && patternForm.test(pattern)) return pattern;
    const found = describeValue(pattern);
    throw new TypeError(`${name}: expected package.Service/Method, package.Service/* or *, found ${found}`);
  });
}

/** A text such as "false" would count as true. @throws TypeError that names the rule */
export function checkPublic(place: string, isPublic: unknown): void {
  if (isPublic === undefined || typeof isPublic === "boolean") return;
  throw new TypeError(`${place}.public: expected true or false, found ${describeValue(isPublic)}`);
}
