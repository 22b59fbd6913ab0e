// Turns services into the proto files that define them, and an index of what those files declare, as reflection asks:
// https://github.com/grpc/grpc/blob/02aa9b78719bf5e7f438cd06c061e7d14be60304/doc/server-reflection.md
import type { DescFile, DescService } from "@bufbuild/protobuf";
import type { DescriptorProto, FieldDescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import type { Work } from "../slices.js";
import { commonFiles } from "./types.js";

/** What can be looked up about a set of services. All names are fully qualified and have no leading dot. */
export interface DescriptorIndex {
  /** The services' names, sorted. */
  readonly serviceNames: readonly string[];
  /** File name ("google/api/http.proto") → file, for the services' files, everything they import, and `commonFiles`. */
  readonly files: ReadonlyMap<string, DescFile>;
  /** The name of each file, its own but for files of other content with the name of another: "2/shop.proto". */
  readonly names: ReadonlyMap<DescFile, string>;
  /** Service, method, message, field, oneof, enum, enum value or extension → the file that declares it. */
  readonly symbols: ReadonlyMap<string, DescFile>;
  /** Message → number of an extension of it → the file that declares the extension. Every message has an entry. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

/**
 * Indexes the services' files and everything that they import, then `commonFiles`, so that clients can read the details of
 * errors. Of two files with one symbol the first counts. Pauses after each symbol.
 */
export function* indexDescriptors(services: readonly DescService[]): Work<DescriptorIndex> {
  const names = nameFiles(reachFrom(services.map((service) => service.file)));
  const served = new Set(names.values());
  for (const [name, file] of withDependencies(commonFiles)) if (!served.has(name)) names.set(file, name);
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const [file, name] of names) {
    if (!files.has(name)) files.set(name, file);
    for (const name of symbolNames(file.proto)) {
      if (!symbols.has(name)) symbols.set(name, file);
      yield;
    }
    for (const [name] of messagesIn(file.proto.package, file.proto.messageType)) {
      extensions.set(name, new Map());
      yield;
    }
  }
  for (const file of files.values()) {
    for (const { extendee, number } of extensionsIn(file.proto)) {
      extensions.get(extendee.replace(/^\./, ""))?.set(number, file);
      yield;
    }
  }
  const serviceNames = [...new Set(services.map((service) => service.typeName))].sort();
  return { serviceNames, files, names, symbols, extensions };
}

/** The files and everything that they import: the given ones first, then the nearest. */
function reachFrom(roots: readonly DescFile[]): ReadonlySet<DescFile> {
  const files = new Set(roots);
  // Files that are added while this runs are visited, too.
  for (const file of files) for (const one of file.dependencies) files.add(one);
  return files;
}

/**
 * Names files. Two upstreams may have files of one name that share nothing: the second gets a name of its own. Where they share
 * types, as two versions of one file do, clients could not use both, and the first counts.
 */
function nameFiles(files: Iterable<DescFile>): Map<DescFile, string> {
  const names = new Map<DescFile, string>();
  const taken = new Map<string, ReadonlySet<string>>();
  for (const file of files) {
    const { messageType, enumType, service, extension, package: scope, name: own } = file.proto;
    const members = [...messageType, ...enumType, ...service, ...extension].map(({ name }) => qualify(scope, name));
    const isFree = (name: string) => {
      const first = taken.get(name);
      return first === undefined || members.length === 0 || members.some((member) => first.has(member));
    };
    let name = own;
    for (let number = 2; !isFree(name); number++) name = `${number}/${own}`;
    if (!taken.has(name)) taken.set(name, new Set(members));
    names.set(file, name);
  }
  return names;
}

/**
 * The files and everything they import, by file name: the given ones first, then the nearest imports.
 * Where two copies of a file have one name, as when two packages bring their own google/api/http.proto, the nearer one
 * counts.
 */
export function withDependencies(roots: readonly DescFile[]): Map<string, DescFile> {
  const files = new Map<string, DescFile>();
  const queue = [...roots];
  for (const file of queue) {
    if (files.has(file.proto.name)) continue;
    files.set(file.proto.name, file);
    queue.push(...file.dependencies);
  }
  return files;
}

// The index is made from the descriptors as the compiler wrote them, since protobuf-es leaves map entries and the
// oneofs of `optional` fields out of its own tree, and both have names that a client may ask for.
function* symbolNames(file: FileDescriptorProto): Generator<string> {
  yield* membersOfScope(file.package, file);
  for (const service of file.service) {
    const serviceName = qualify(file.package, service.name);
    yield serviceName;
    for (const method of service.method) yield qualify(serviceName, method.name);
  }
  for (const [messageName, message] of messagesIn(file.package, file.messageType)) {
    yield messageName;
    for (const member of [...message.field, ...message.oneofDecl]) yield qualify(messageName, member.name);
    yield* membersOfScope(messageName, message);
  }
}

type Scope = Pick<DescriptorProto, "enumType" | "extension">;

/** Names that a file and a message declare alike. Enum values are siblings of their enum: not `pkg.Enum.VALUE`. */
function* membersOfScope(scope: string, { enumType, extension }: Scope): Generator<string> {
  const values = enumType.flatMap((each) => each.value);
  for (const member of [...enumType, ...values, ...extension]) yield qualify(scope, member.name);
}

/** Full name and descriptor of each message, before those nested in it. */
function* messagesIn(scope: string, messages: readonly DescriptorProto[]): Generator<[string, DescriptorProto]> {
  for (const message of messages) {
    const name = qualify(scope, message.name);
    yield [name, message];
    yield* messagesIn(name, message.nestedType);
  }
}

function* extensionsIn(file: FileDescriptorProto): Generator<FieldDescriptorProto> {
  yield* file.extension;
  for (const [, message] of messagesIn(file.package, file.messageType)) yield* message.extension;
}

function qualify(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}
