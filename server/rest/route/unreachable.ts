// Finds routes that no request can reach, so that the server can name them when it starts.
import type { Binding } from "./binding.js";
import type { Routes } from "./routes.js";
import type { Segment } from "./template.js";

/**
 * Returns a sentence for each unreachable route, beginning with its label. Paths with empty segments are not
 * considered.
 *
 * @param ownPaths paths that the server serves before it looks for a route
 */
export function findUnreachable(
  bindings: readonly Binding[],
  routes: Routes,
  ownPaths: ReadonlySet<string> = new Set(),
): string[] {
  const length = Math.max(0, ...bindings.map(({ template }) => template.segments.length));
  return bindings.flatMap((binding) => {
    const { segments } = binding.template;
    const reason = segments.some(({ kind }) => kind === "multi")
      ? findTakers(binding, routes, length)
      : findOwnPath(binding, ownPaths);
    return reason === undefined ? [] : `${binding.label}: ${reason}`;
  });
}

/** A route without wildcards has one path. */
function findOwnPath({ template }: Binding, ownPaths: ReadonlySet<string>): string | undefined {
  if (ownPaths.size === 0 || template.segments.some(({ kind }) => kind !== "literal")) return undefined;
  const path = samplePath(template, 0);
  return ownPaths.has(path) ? `no request can reach this route: the server itself serves ${path}` : undefined;
}

/**
 * Other routes can take the paths of a route with `**` only. A route that is preferred for a sample is preferred for all
 * paths with as many segments. Over the length of the longest template, the number of segments makes no difference.
 */
function findTakers(binding: Binding, routes: Routes, length: number): string | undefined {
  const takers = new Set<string>();
  for (let count = 1; count <= length + 1; count++) {
    const taker = findTaker(binding, routes, count);
    if (taker === undefined) return undefined;
    takers.add(taker);
  }
  const shortest = findTaker(binding, routes, 0);
  if (shortest !== undefined) takers.add(shortest);
  const reached =
    shortest === undefined
      ? 'only requests with nothing at its "**" reach this route'
      : "no request can reach this route";
  const paths = shortest === undefined ? "the others" : "its paths";
  return `${reached}: ${[...takers].join(" and ")} ${takers.size === 1 ? "takes" : "take"} ${paths}`;
}

/** The label of the route that is found in place of a binding with so many segments at its `**`. */
function findTaker(binding: Binding, routes: Routes, count: number): string | undefined {
  const found = routes.find(
    binding.httpMethod === "*" ? unknownMethod : binding.httpMethod,
    samplePath(binding.template, count),
  );
  return found.kind === "found" && found.binding !== binding ? found.binding.label : undefined;
}

/** No route has it, so that only routes for any method are found. */
const unknownMethod = "?";

/** A path of a template. A segment at a wildcard is `*`, which no literal can be. */
function samplePath({ segments, verb }: Binding["template"], count: number): string {
  const texts = segments.flatMap((segment) => sampleSegments(segment, count));
  return `/${texts.join("/")}${verb === "" ? "" : `:${verb}`}`;
}

function sampleSegments(segment: Segment, count: number): string[] {
  if (segment.kind === "literal") return [segment.text];
  return Array<string>(segment.kind === "single" ? 1 : count).fill("*");
}
