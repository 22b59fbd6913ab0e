// What the pages tell of: the services of a server, in order, with what there is to know of each method.
import type { DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import type { Method } from "../../call/method.js";
import type { Binding } from "../../rest/binding.js";
import type { MethodInfo } from "./browser/method.js";
import { describeMethod } from "./method-info.js";

/** The comments of the protos, by the full name of what they stand at. */
export type Comments = ReadonlyMap<string, string>;

/** The comment of a declaration; empty if it has none. */
export function commentOf(comments: Comments, desc: DescService | DescMethod | DescMessage | DescField): string {
  const isMember = desc.kind === "rpc" || desc.kind === "field";
  return comments.get(isMember ? `${desc.parent.typeName}.${desc.name}` : desc.typeName) ?? "";
}

export interface DescribedMethod {
  readonly desc: DescMethod;
  readonly info: MethodInfo;
}

export interface DescribedService {
  readonly desc: DescService;
  readonly methods: readonly DescribedMethod[];
  /** Whether it is one that every server has: health, reflection. */
  readonly isBuiltIn: boolean;
}

/** In the order of registration, those that every server has at the end. */
export function describeServices(methods: readonly Method[], bindings: readonly Binding[]): DescribedService[] {
  const hasReflection = methods.some(({ path }) => path.startsWith("/grpc.reflection.v1"));
  const services = new Map<DescService, DescribedMethod[]>();
  for (const method of methods) {
    const desc = method.spec.method;
    const own = bindings.filter((binding) => binding.method === desc);
    const described = services.get(desc.parent) ?? [];
    services.set(desc.parent, [...described, { desc, info: describeMethod(method, own, hasReflection) }]);
  }
  const all = [...services].map(([desc, described]) => ({ desc, methods: described, isBuiltIn: isBuiltIn(desc) }));
  return [...all.filter((service) => !service.isBuiltIn), ...all.filter((service) => service.isBuiltIn)];
}

function isBuiltIn({ typeName }: DescService): boolean {
  return /^grpc\.(health|reflection)\.v1/.test(typeName);
}
