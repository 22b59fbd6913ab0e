// Registries of the types of files, which are read when they are needed.
import { createMutableRegistry, type DescFile, type Registry } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";

type AnyType = Registry extends Iterable<infer Type> ? Type : never;

/** Looks in a registry. */
type Look<T> = (types: Registry) => T | undefined;

/**
 * A registry with the types of files, and of all files that these import. Files are read when a type is first looked for, and
 * those that were added since when one is not found. Of two types with one name the first counts.
 *
 * @param always returns files that come last
 */
export function createTypesOf(files: ReadonlySet<DescFile>, always: () => readonly DescFile[] = () => []): Registry {
  const types = createMutableRegistry();
  const read = new Set<DescFile>();
  const add = (file: DescFile) => {
    if (read.has(file)) return;
    read.add(file);
    for (const one of file.dependencies) add(one);
    for (const type of nestedTypes(file)) if (types.get(type.typeName) === undefined) types.add(type);
  };
  let size = -1;
  const load = () => {
    // A message may name any number of types that there are not.
    if (size === files.size) return types;
    size = files.size;
    for (const file of files) add(file);
    for (const file of always()) add(file);
    return types;
  };
  return createRegistryOf((look) => look(types) ?? look(load()), load);
}

/** Returns the same registry for the same two, as plans are kept by registry: one that looks in the first, then in the second. */
export function preferTypes(first: Registry | undefined, second: Registry): Registry {
  if (first === undefined) return second;
  const known = preferred.get(first) ?? new WeakMap<Registry, Registry>();
  preferred.set(first, known);
  const both = known.get(second) ?? createPreferring(first, second);
  known.set(second, both);
  return both;
}

const preferred = new WeakMap<Registry, WeakMap<Registry, Registry>>();

function createPreferring(first: Registry, second: Registry): Registry {
  // `createRegistry` keeps the last of two types with one name.
  return createRegistryOf(
    (look) => look(first) ?? look(second),
    () => [...second, ...first],
  );
}

function createRegistryOf(find: <T>(look: Look<T>) => T | undefined, all: () => Iterable<AnyType>): Registry {
  return {
    kind: "registry",
    [Symbol.iterator]: () => [...all()].values(),
    get: (name) => find((types) => types.get(name)),
    getMessage: (name) => find((types) => types.getMessage(name)),
    getEnum: (name) => find((types) => types.getEnum(name)),
    getExtension: (name) => find((types) => types.getExtension(name)),
    getExtensionFor: (extendee, number) => find((types) => types.getExtensionFor(extendee, number)),
    getService: (name) => find((types) => types.getService(name)),
  };
}
