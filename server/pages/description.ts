// Describes the services of a server for the pages: their order, and each of their methods.
import type { DescEnum, DescEnumValue, DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import type { Method } from "../call/method.js";
import type { Comments } from "../openapi/comments.js";
import type { Binding } from "../rest/route/binding.js";
import type { Work } from "../slices.js";
import type { MethodInfo } from "./browser/method.js";
import { toMethodInfo } from "./method-info.js";

type Commented = DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue;

/** The comment of a declaration; empty if it has none. */
export function commentOf(comments: Comments, desc: Commented): string {
  const isMember = desc.kind === "rpc" || desc.kind === "field" || desc.kind === "enum_value";
  return comments.get(isMember ? `${desc.parent.typeName}.${desc.name}` : desc.typeName) ?? "";
}

export interface DescribedMethod {
  readonly desc: DescMethod;
  readonly info: MethodInfo;
}

export interface DescribedService {
  readonly desc: DescService;
  readonly methods: readonly DescribedMethod[];
  /** Whether every server has it: health, reflection. */
  readonly isBuiltIn: boolean;
}

/** Describes the services in order of registration, with the built-in ones last. Pauses after each method. */
export function* describeServices(
  services: readonly DescService[],
  methods: readonly Method[],
  bindings: readonly Binding[],
): Work<DescribedService[]> {
  const isReflected = hasReflection(methods);
  const bindingsByMethod = groupBy(bindings, (binding) => binding.method);
  const methodsByService = groupBy(methods, (method) => method.spec.method.parent);
  const all: DescribedService[] = [];
  for (const service of services) {
    const described: DescribedMethod[] = [];
    for (const method of methodsByService.get(service) ?? []) {
      const desc = method.spec.method;
      described.push({ desc, info: toMethodInfo(method, bindingsByMethod.get(desc) ?? [], isReflected) });
      yield;
    }
    all.push({ desc: service, methods: described, isBuiltIn: isBuiltIn(service) });
  }
  return [...all.filter((service) => !service.isBuiltIn), ...all.filter((service) => service.isBuiltIn)];
}

/** `Map.groupBy`, which Node 20 does not have. */
function groupBy<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Whether tools can ask the server for its schema. */
export function hasReflection(methods: readonly Method[]): boolean {
  return methods.some(({ path }) => path.startsWith("/grpc.reflection.v1"));
}

/** Whether every server has the service: health, reflection. */
export function isBuiltIn({ typeName }: DescService): boolean {
  return /^grpc\.(health|reflection)\.v1/.test(typeName);
}
