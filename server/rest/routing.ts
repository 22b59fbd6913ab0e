// Turns services into routes, or says everything that is wrong with their rules at once.
import type { DescService } from "@bufbuild/protobuf";
import type { Http } from "../../gen/google/api/http_pb.js";
import type { Binding } from "./binding.js";
import { createRoutes, type RouteOptions, type Routes } from "./routes.js";
import { readRules } from "./rules.js";

/** What makes routes out of services. */
export interface RoutingOptions extends RouteOptions {
  /** Rules of a service configuration. Each replaces the annotation of the method that its selector names. */
  readonly http?: Http | undefined;
}

/** The ways to call methods over HTTP. */
export interface Routing {
  /** In the order of the services, their methods, and each method's rules: the first of a method is its own. */
  readonly bindings: readonly Binding[];
  readonly routes: Routes;
}

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

/** @throws RoutingError */
export function createRouting(services: readonly DescService[], options: RoutingOptions = {}): Routing {
  const { bindings, problems } = readRules(services, options.http);
  const { routes, problems: conflicts } = createRoutes(bindings, options);
  const all = [...problems, ...conflicts];
  if (all.length > 0) throw new RoutingError(all);
  return { bindings, routes };
}
