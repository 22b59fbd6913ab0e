// Finds the binding of an HTTP method and a raw path in a trie of segments: the most specific one by literal, then `*`,
// then `**`, from left to right, as google/api/http.proto leaves open and every transcoder of it does.
import type { Binding } from "./binding.js";
import { isPlain, normalizePercent } from "./percent.js";
import type { Segment, Template } from "./template.js";

/** What a look-up finds. */
export type Lookup =
  /** `captures` are the raw values of `binding.variables`, in the same order, still percent-encoded. */
  | { readonly kind: "found"; readonly binding: Binding; readonly captures: readonly string[] }
  /** The path is known, the method is not. `allowed` is sorted, and has HEAD beside GET, and always OPTIONS. */
  | { readonly kind: "wrong-method"; readonly allowed: readonly string[] }
  | { readonly kind: "no-path" };

/** Routes, ready for look-ups. */
export interface Routes {
  /** @param path the raw path of a target that `parseTarget` took */
  find(httpMethod: string, path: string): Lookup;
}

/** Options of look-ups. */
export interface RouteOptions {
  /** Whether a path with a "/" at its end is also looked for without. Off by default: the two are different paths. */
  readonly ignoreTrailingSlash?: boolean;
}

/** The bindings of one pattern: HTTP method → binding. */
type Methods = Map<string, Binding>;

/** What may follow the segments that lead here. */
interface Node {
  literals?: Map<string, Node>;
  single?: Node;
  /** After `**`: the tails that may follow it, the longest first. */
  tails?: Tail[];
  /** Where a pattern ends: verb → methods. The verb is empty for a pattern without. */
  ends?: Map<string, Methods>;
}

interface Tail {
  /** How many segments follow the `**`. */
  readonly length: number;
  readonly node: Node;
}

/**
 * Builds the trie.
 *
 * @returns the routes, and a text for each binding whose pattern and method an earlier one has
 */
export function createRoutes(
  bindings: readonly Binding[],
  options: RouteOptions = {},
): { routes: Routes; problems: string[] } {
  const root: Node = {};
  const problems = bindings.flatMap((binding) => insert(root, binding) ?? []);
  const find = (httpMethod: string, path: string) => new Search(httpMethod, path).run(root);
  if (options.ignoreTrailingSlash !== true) return { routes: { find }, problems };
  const findTrimmed = (httpMethod: string, path: string) => {
    const found = find(httpMethod, path);
    const isTrimmable = found.kind === "no-path" && path.length > 1 && path.endsWith("/");
    return isTrimmable ? find(httpMethod, path.slice(0, -1)) : found;
  };
  return { routes: { find: findTrimmed }, problems };
}

/** @returns a text, and leaves the trie as it is, if the place is taken */
function insert(root: Node, binding: Binding): string | undefined {
  const { segments, verb } = binding.template;
  const node = segments.reduce((parent, segment, index) => step(parent, segment, segments.length - index - 1), root);
  node.ends ??= new Map();
  const methods: Methods = node.ends.get(verb) ?? new Map();
  const other = methods.get(binding.httpMethod);
  if (other !== undefined) {
    return `${binding.label}: expected a route that no other method has, found the same as ${other.label}`;
  }
  node.ends.set(verb, methods.set(binding.httpMethod, binding));
  return undefined;
}

function step(node: Node, segment: Segment, remaining: number): Node {
  if (segment.kind === "single") {
    node.single ??= {};
    return node.single;
  }
  if (segment.kind === "multi") return stepMulti(node, remaining);
  node.literals ??= new Map();
  const next = node.literals.get(segment.text) ?? {};
  node.literals.set(segment.text, next);
  return next;
}

function stepMulti(node: Node, length: number): Node {
  node.tails ??= [];
  const known = node.tails.find((tail) => tail.length === length);
  if (known !== undefined) return known.node;
  const tail = { length, node: {} };
  node.tails.push(tail);
  node.tails.sort((a, b) => b.length - a.length);
  return tail.node;
}

/**
 * One look-up. The way to a node fixes how many segments of the path are used up when it is reached: those before a `**`
 * from the front, those after it from the end. So no node is visited twice, and beyond splitting the path the cost is
 * bounded by the routes that share its beginning, whatever the path.
 */
class Search {
  private readonly httpMethod: string;
  private readonly path: string;
  private readonly isPlain: boolean;
  private readonly allowed = new Set<string>();
  /** The segments as literals are compared. */
  private segments: readonly string[] = [];
  private verb = "";

  constructor(httpMethod: string, path: string) {
    this.httpMethod = httpMethod;
    this.path = path;
    this.isPlain = isPlain(path);
  }

  run(root: Node): Lookup {
    const { path } = this;
    const raw = path === "/" ? [] : path.slice(1).split("/");
    const last = raw.at(-1) ?? "";
    const colon = last.lastIndexOf(":");
    const verb = colon < 0 ? "" : last.slice(colon + 1);
    // A last segment "a:b" is "a" with the verb "b" where there is such a route, and otherwise a value with a colon.
    const withVerb = verb === "" ? undefined : this.attempt(root, raw.with(-1, last.slice(0, colon)), verb);
    const found = withVerb ?? this.attempt(root, raw, "");
    if (found !== undefined) return found;
    if (this.allowed.size === 0) return { kind: "no-path" };
    return { kind: "wrong-method", allowed: [...this.allowed.add("OPTIONS")].sort() };
  }

  private attempt(root: Node, raw: readonly string[], verb: string): Lookup | undefined {
    this.segments = this.isPlain ? raw : raw.map(normalizePercent);
    this.verb = normalizePercent(verb);
    const binding = this.visit(root, 0);
    return binding && { kind: "found", binding, captures: capture(binding.template, raw) };
  }

  /** @param index how many segments are used up */
  private visit(node: Node, index: number): Binding | undefined {
    return this.visitNext(node, index) ?? this.visitTails(node, index);
  }

  private visitNext(node: Node, index: number): Binding | undefined {
    const segment = this.segments[index];
    if (segment === undefined) return this.end(node.ends?.get(this.verb));
    const literal = node.literals?.get(segment);
    const found = literal && this.visit(literal, index + 1);
    if (found !== undefined || node.single === undefined || segment === "") return found;
    return this.visit(node.single, index + 1);
  }

  private visitTails(node: Node, index: number): Binding | undefined {
    for (const { length, node: tail } of node.tails ?? []) {
      const start = this.segments.length - length;
      const found = start < index ? undefined : this.visit(tail, start);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private end(methods: Methods | undefined): Binding | undefined {
    if (methods === undefined) return undefined;
    const isHead = this.httpMethod === "HEAD";
    const found = methods.get(this.httpMethod) ?? (isHead ? methods.get("GET") : undefined) ?? methods.get("*");
    if (found !== undefined) return found;
    for (const method of methods.keys()) this.allowed.add(method);
    if (methods.has("GET")) this.allowed.add("HEAD");
    return undefined;
  }
}

/** Cuts the values of the variables out of the segments that a template matches. */
function capture(template: Template, raw: readonly string[]): string[] {
  const multi = template.segments.findIndex(({ kind }) => kind === "multi");
  const surplus = raw.length - template.segments.length;
  const shift = (index: number) => (multi >= 0 && index > multi ? index + surplus : index);
  return template.variables.map(({ start, end }) => raw.slice(shift(start), shift(end)).join("/"));
}
