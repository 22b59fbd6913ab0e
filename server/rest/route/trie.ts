// Stores routes in a trie of their segments, as a few tables with numeric keys. With many routes, separate maps in each
// node would cause more cache misses.
import type { Binding, RuleProblem } from "./binding.js";
import { EdgeTable } from "./edge-table.js";
import type { Segment, Template } from "./template.js";

/** A node of the trie. */
export type Node = number;

/** The root. */
export const rootNode: Node = 0;

/** The end of a pattern with a method, by its index in `bindings` and `shapes`. */
export type Route = number;

/**
 * The positions of variables in a template. Many templates share one object, which keeps a large table in the
 * processor's cache.
 */
export interface Shape {
  /** How many segments the template has. */
  readonly length: number;
  /** The index of its `**`; without one, that after the last segment. */
  readonly multi: number;
  /** Start and end of each variable, one after the other. */
  readonly spans: readonly number[];
}

/** What may follow a `**`: a number of segments. */
interface Tail {
  readonly length: number;
  readonly node: Node;
}

/** Edges from node to node, and the routes where patterns end. It does not change once it is built. */
export class Trie {
  /** The bindings that an earlier one has the pattern and the method of. They have no route. */
  readonly problems: readonly RuleProblem[];
  /** Literals and verbs → their numbers. */
  private readonly labels = new Map([["", noVerb]]);
  /** Node and label → node. */
  private readonly edges = new EdgeTable();
  private readonly tails = new Map<Node, readonly Tail[]>();
  /** HTTP methods → their numbers. */
  private readonly methods = new Map<string, number>();
  /** Node and `endOf(label, method)` → route. */
  private readonly ends = new EdgeTable();
  /** Of each route its binding, and where the variables of its template are. */
  readonly bindings: Binding[] = [];
  readonly shapes: Shape[] = [];
  private readonly knownShapes = new Map<string, Shape>();
  private nodeCount = 1;

  constructor(bindings: readonly Binding[]) {
    const texts = bindings.flatMap(({ template }) => [...template.segments.map(textOf), template.verb]);
    for (const text of new Set(texts)) this.labels.set(text, this.labels.get(text) ?? this.labels.size + 1);
    for (const method of new Set(bindings.map(({ httpMethod }) => httpMethod)))
      this.methods.set(method, this.methods.size);
    this.problems = bindings.flatMap((binding) => this.insert(binding) ?? []);
  }

  literalAt(node: Node, text: string): Node | undefined {
    const label = this.labels.get(text);
    return label === undefined ? undefined : this.edges.get(node, label);
  }

  singleAt(node: Node): Node | undefined {
    return this.edges.get(node, anyText);
  }

  /** What may follow a `**` here, the longest first. */
  tailsAt(node: Node): readonly Tail[] | undefined {
    return this.tails.get(node);
  }

  /** The route that ends here with a verb, empty for none, and a method. */
  routeAt(node: Node, verb: string, httpMethod: string): Route | undefined {
    const label = this.labels.get(verb);
    const method = this.methods.get(httpMethod);
    return label === undefined || method === undefined ? undefined : this.ends.get(node, this.endOf(label, method));
  }

  /** The methods of the routes that end here with a verb. */
  methodsAt(node: Node, verb: string): string[] {
    return [...this.methods.keys()].filter((method) => this.routeAt(node, verb, method) !== undefined);
  }

  private endOf(label: number, method: number): number {
    return label * this.methods.size + method;
  }

  /** @returns a problem, and does nothing, if the place is taken */
  private insert(binding: Binding): RuleProblem | undefined {
    const { template, httpMethod, label, method } = binding;
    const { segments, verb } = template;
    const node = segments.reduce(
      (from, segment, index) => this.step(from, segment, segments.length - index - 1),
      rootNode,
    );
    const other = this.routeAt(node, verb, httpMethod);
    if (other !== undefined) {
      const found = this.bindings[other]?.label;
      return { method, text: `${label}: expected a route that no other method has, found the same as ${found}` };
    }
    const end = this.endOf(this.labels.get(verb) ?? noVerb, this.methods.get(httpMethod) ?? 0);
    this.ends.add(node, end, this.bindings.length);
    this.bindings.push(binding);
    this.shapes.push(this.shapeOf(template));
    return undefined;
  }

  private shapeOf({ segments, variables }: Template): Shape {
    const multi = segments.findIndex(({ kind }) => kind === "multi");
    const spans = variables.flatMap(({ start, end }) => [start, end]);
    const own = { length: segments.length, multi: multi < 0 ? segments.length : multi, spans };
    const key = JSON.stringify(own);
    const shape = this.knownShapes.get(key) ?? own;
    this.knownShapes.set(key, shape);
    return shape;
  }

  private step(from: Node, segment: Segment, remaining: number): Node {
    if (segment.kind === "multi") return this.stepMulti(from, remaining);
    const label = segment.kind === "single" ? anyText : (this.labels.get(segment.text) ?? anyText);
    const known = this.edges.get(from, label);
    if (known !== undefined) return known;
    const node = this.nodeCount++;
    this.edges.add(from, label, node);
    return node;
  }

  private stepMulti(from: Node, length: number): Node {
    const tails = this.tails.get(from) ?? [];
    const known = tails.find((tail) => tail.length === length);
    if (known !== undefined) return known.node;
    const tail = { length, node: this.nodeCount++ };
    this.tails.set(
      from,
      [...tails, tail].sort((a, b) => b.length - a.length),
    );
    return tail.node;
  }
}

/** The label of an edge that any text but the empty one may take. */
const anyText = 0;

/** The label of no verb. No segment has it: that of an empty segment is on no edge. */
const noVerb = 1;

function textOf(segment: Segment): string {
  return segment.kind === "literal" ? segment.text : "";
}
