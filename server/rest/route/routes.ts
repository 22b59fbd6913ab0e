// Finds the binding of an HTTP method and a raw path: the most specific one by literal, then `*`, then `**`, from left to
// right. google/api/http.proto leaves the order open.

import { isPlain, normalizePercent } from "../percent.js";
import type { Binding, RuleProblem } from "./binding.js";
import { type Node, type Route, rootNode, type Shape, Trie } from "./trie.js";

/** The result of a look-up. */
type Lookup =
  /** `captures` are the raw values of `binding.variables`, in the same order, still percent-encoded. */
  | { readonly kind: "found"; readonly binding: Binding; readonly captures: readonly string[] }
  /** The path is known, the method is not. `allowed` is sorted. It has HEAD if it has GET, and always OPTIONS. */
  | { readonly kind: "wrong-method"; readonly allowed: readonly string[] }
  | { readonly kind: "no-path" };

/** Routes, ready for look-ups. */
export interface Routes {
  /** @param path a raw path that `checkPath` has accepted */
  find(httpMethod: string, path: string): Lookup;
}

/** Options of look-ups. */
export interface RoutingOptions {
  /** Whether a path with a "/" at its end also matches without it. Default false: the two are different paths. */
  readonly ignoreTrailingSlash?: boolean;
}

/**
 * Builds the table.
 *
 * @returns the routes, and a problem for each binding whose pattern and method an earlier one has
 */
export function createRoutes(
  bindings: readonly Binding[],
  options: RoutingOptions = {},
): { routes: Routes; problems: readonly RuleProblem[] } {
  const trie = new Trie(bindings);
  const literal = new LiteralPaths();
  const find = (httpMethod: string, path: string) => {
    const known = literal.find(httpMethod, path);
    if (known !== undefined) return known;
    const found = new Search(trie, httpMethod).find(path);
    if (found.kind === "found") literal.add(httpMethod, path, found);
    return found;
  };
  if (options.ignoreTrailingSlash !== true) return { routes: { find }, problems: trie.problems };
  const findTrimmed = (httpMethod: string, path: string) => {
    const found = find(httpMethod, path);
    const isTrimmable = found.kind === "no-path" && path.length > 1 && path.endsWith("/");
    return isTrimmable ? find(httpMethod, path.slice(0, -1)) : found;
  };
  return { routes: { find: findTrimmed }, problems: trie.problems };
}

/** What has been found of routes that one path only matches. There are no more paths here than such routes. */
class LiteralPaths {
  /** HTTP method → path → what was found. */
  private readonly found = new Map<string, Map<string, Lookup>>();

  find(httpMethod: string, path: string): Lookup | undefined {
    return this.found.get(httpMethod)?.get(path);
  }

  /** Keeps what was found, unless others could be found in the same way. */
  add(httpMethod: string, path: string, found: Lookup & { kind: "found" }): void {
    const { template, httpMethod: own } = found.binding;
    const isLiteral = template.segments.every(({ kind }) => kind === "literal");
    if (!isLiteral || own !== httpMethod || !isPlain(path)) return;
    const ofMethod = this.found.get(httpMethod) ?? new Map<string, Lookup>();
    this.found.set(httpMethod, ofMethod.set(path, found));
  }
}

/**
 * One look-up. The way to a node fixes how many segments of the path are used up when it is reached: those before a `**`
 * from the front, those after it from the end. So no attempt visits a node twice, and beyond splitting the path the cost is
 * bounded by the routes that share its beginning, whatever the path.
 */
class Search {
  private readonly trie: Trie;
  /** The methods of routes that match the request, the best first. */
  private readonly methods: readonly string[];
  private allowed: Set<string> | undefined;
  /** The segments as literals are compared. */
  private segments: readonly string[] = [];
  private verb = "";

  constructor(trie: Trie, httpMethod: string) {
    this.trie = trie;
    this.methods = httpMethod === "HEAD" ? ["HEAD", "GET", "*"] : [httpMethod, "*"];
  }

  find(path: string): Lookup {
    const raw = path === "/" ? [] : path.slice(1).split("/");
    const isNormal = isPlain(path);
    const found = this.findWithVerb(raw, isNormal) ?? this.findWithoutVerb(raw, isNormal);
    if (found !== undefined) return found;
    if (this.allowed === undefined) return { kind: "no-path" };
    return { kind: "wrong-method", allowed: [...this.allowed.add("OPTIONS")].sort() };
  }

  /** A last segment "a:b" is "a" with the verb "b" where there is such a route, and otherwise a value with a colon. */
  private findWithVerb(raw: readonly string[], isNormal: boolean): Lookup | undefined {
    const last = raw.at(-1) ?? "";
    const colon = last.lastIndexOf(":");
    const verb = last.slice(colon + 1);
    return colon < 0 || verb === "" ? undefined : this.attempt(raw.with(-1, last.slice(0, colon)), verb, isNormal);
  }

  /** Where a verb matched and only the method did not, `Allow` has the methods of that verb alone. */
  private findWithoutVerb(raw: readonly string[], isNormal: boolean): Lookup | undefined {
    const allowedWithVerb = this.allowed;
    this.allowed = undefined;
    const found = this.attempt(raw, "", isNormal);
    this.allowed = allowedWithVerb ?? this.allowed;
    return found;
  }

  private attempt(raw: readonly string[], verb: string, isNormal: boolean): Lookup | undefined {
    this.segments = isNormal ? raw : raw.map(normalizePercent);
    this.verb = isNormal ? verb : normalizePercent(verb);
    const route = this.visit(rootNode, 0);
    const binding = route === undefined ? undefined : this.trie.bindings[route];
    const shape = route === undefined ? undefined : this.trie.shapes[route];
    return binding && shape && { kind: "found", binding, captures: capture(shape, raw) };
  }

  /** @param index how many segments are used up */
  private visit(node: Node, index: number): Route | undefined {
    return this.visitNext(node, index) ?? this.visitTails(node, index);
  }

  private visitNext(node: Node, index: number): Route | undefined {
    const segment = this.segments[index];
    if (segment === undefined) return this.choose(node);
    const literal = this.trie.literalAt(node, segment);
    const found = literal === undefined ? undefined : this.visit(literal, index + 1);
    const single = found === undefined && segment !== "" ? this.trie.singleAt(node) : undefined;
    return single === undefined ? found : this.visit(single, index + 1);
  }

  private visitTails(node: Node, index: number): Route | undefined {
    for (const tail of this.trie.tailsAt(node) ?? []) {
      const start = this.segments.length - tail.length;
      const found = start < index ? undefined : this.visit(tail.node, start);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private choose(node: Node): Route | undefined {
    for (const method of this.methods) {
      const route = this.trie.routeAt(node, this.verb, method);
      if (route !== undefined) return route;
    }
    for (const method of this.trie.methodsAt(node, this.verb)) this.allow(method);
    return undefined;
  }

  private allow(method: string): void {
    this.allowed ??= new Set();
    this.allowed.add(method);
    if (method === "GET") this.allowed.add("HEAD");
  }
}

/** Takes the values of the variables from the segments that a route matches. */
function capture({ length, multi, spans }: Shape, raw: readonly string[]): string[] {
  const shifted = spans.map((index) => (index > multi ? index + raw.length - length : index));
  const captures: string[] = [];
  for (let index = 0; index < shifted.length; index += 2) {
    captures.push(raw.slice(shifted[index], shifted[index + 1]).join("/"));
  }
  return captures;
}
