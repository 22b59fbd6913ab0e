// The routes of services, made as the server makes them.
import type { DescService } from "@bufbuild/protobuf";
import type { Http } from "../../gen/google/api/http_pb.js";
import type { Binding } from "../../server/rest/route/binding.js";
import { createRoutes, type Routes, type RoutingOptions } from "../../server/rest/route/routes.js";
import { RoutingError, readRules } from "../../server/rest/route/rules.js";

/** Turns services into routes. @throws RoutingError with everything that is wrong with their rules */
export function routesOf(
  services: readonly DescService[],
  { http, ...options }: RoutingOptions & { readonly http?: Http } = {},
): { readonly bindings: readonly Binding[]; readonly routes: Routes } {
  const { bindings, problems } = readRules(services, http);
  const { routes, problems: conflicts } = createRoutes(bindings, options);
  const all = [...problems, ...conflicts].map(({ text }) => text);
  if (all.length > 0) throw new RoutingError(all);
  return { bindings, routes };
}
