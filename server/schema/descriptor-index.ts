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
  /** Service, method, message, field, oneof, enum, enum value or extension → the file that declares it. */
  readonly symbols: ReadonlyMap<string, DescFile>;
  /** Message → number of an extension of it → the file that declares the extension. Every message has an entry. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

/**
 * Indexes the services' files and everything that they import, then `commonFiles`, so that clients can read the details of
 * errors. Of two files with one name or one symbol the first counts. Pauses after each symbol.
 */
export function* indexDescriptors(services: readonly DescService[]): Work<DescriptorIndex> {
  const served = withDependencies(services.map((service) => service.file));
  const files = withDependencies([...served.values(), ...commonFiles]);
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of files.values()) {
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
  return { serviceNames, files, symbols, extensions };
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
