// Chooses the method that shows how to call a server.
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Api } from "../openapi/document.js";
import type { MethodInfo } from "./browser/method.js";
import { hasReflection, isBuiltIn } from "./description.js";
import { toMethodInfo } from "./method-info.js";

/** The user's services, and one method of them. */
export interface FirstMethod {
  /** Full names of the user's services. */
  readonly services: readonly string[];
  /** The first unary method with a route, else the first unary one, else the first; undefined if there is none. */
  readonly method: MethodInfo | undefined;
  /** Whether Connect calls that method by GET, too. */
  readonly hasGet: boolean;
}

export function describeFirstMethod({ methods, services, bindings }: Api): FirstMethod {
  const all = [...methods.values()];
  const own = all.filter(({ spec }) => !isBuiltIn(spec.method.parent));
  const unary = own.filter(({ spec }) => spec.kind === "unary");
  const routed = unary.find(({ spec }) => bindings.some(({ method }) => method === spec.method));
  const chosen = routed ?? unary[0] ?? own[0];
  const ownBindings = bindings.filter(({ method }) => method === chosen?.spec.method);
  return {
    services: services.filter((service) => !isBuiltIn(service)).map(({ typeName }) => typeName),
    method: chosen && toMethodInfo(chosen, ownBindings, hasReflection(all)),
    hasGet: chosen?.spec.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
  };
}
