// Builds descriptors of files that come from elsewhere, such as a server's reflection, which often are incomplete: imports
// are missing, mostly of files that only options need; JSON names are missing; placeholders stand for files.
import { clone, createFileRegistry, type DescFile } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** A file that cannot be used, and why. */
export interface RefusedFile {
  /** `acme/shop/v1/shop.proto`. */
  readonly name: string;
  /** What is wrong, for people. */
  readonly reason: string;
  /** Full names of the services in it, which are not served. */
  readonly services: readonly string[];
}

export interface BuiltFiles {
  /** File name → descriptor: all files that could be built, with their imports. */
  readonly files: ReadonlyMap<string, DescFile>;
  /** A sentence for each thing that was added or left out. */
  readonly repairs: readonly string[];
  readonly refused: readonly RefusedFile[];
}

/** Files that are always our own, since every runtime has them. */
const wellKnown = "google/protobuf/";
/** More imports than this, one below the other, are a fault. */
const importDepthMax = 200;

/**
 * Builds the descriptors of files. What is wrong with one changes nothing for those that do not import it.
 *
 * @param protos of two with one name, the first counts
 * @param known descriptors of files that may be missing, by file name
 */
export function buildFiles(protos: readonly FileDescriptorProto[], known: ReadonlyMap<string, DescFile>): BuiltFiles {
  return new Builder(protos, known).build();
}

/** Whether a file says nothing: some servers give one instead of a file that they do not have. */
function isPlaceholder({ syntax, ...file }: FileDescriptorProto): boolean {
  const isEmpty = file.messageType.length + file.enumType.length + file.service.length + file.extension.length === 0;
  return isEmpty && (syntax.startsWith("<") || file.dependency.length === 0);
}

class Builder {
  readonly #protos = new Map<string, FileDescriptorProto>();
  readonly #known: ReadonlyMap<string, DescFile>;
  /** Undefined: the file cannot be built, or is being built. */
  readonly #files = new Map<string, DescFile | undefined>();
  readonly #repairs: string[] = [];
  readonly #refused: RefusedFile[] = [];

  constructor(protos: readonly FileDescriptorProto[], known: ReadonlyMap<string, DescFile>) {
    this.#known = known;
    for (const proto of protos) if (!this.#protos.has(proto.name)) this.#protos.set(proto.name, proto);
  }

  build(): BuiltFiles {
    for (const name of this.#protos.keys()) this.#find(name, 0);
    const files = new Map<string, DescFile>();
    for (const [name, file] of this.#files) if (file !== undefined) files.set(name, file);
    return { files, repairs: this.#repairs, refused: this.#refused };
  }

  #find(name: string, depth: number): DescFile | undefined {
    if (this.#files.has(name)) return this.#files.get(name);
    this.#files.set(name, undefined);
    const file = this.#make(name, depth);
    this.#files.set(name, file);
    return file;
  }

  #make(name: string, depth: number): DescFile | undefined {
    const proto = this.#protos.get(name);
    const known = this.#known.get(name);
    const isMissing = proto === undefined || isPlaceholder(proto);
    if (known !== undefined && (isMissing || name.startsWith(wellKnown))) return known;
    if (isMissing) return undefined;
    if (depth > importDepthMax) return this.#refuse(proto, `expected at most ${importDepthMax} imports in a row`);
    const imports = this.#imports(proto, depth);
    try {
      const repaired = repair(proto, imports);
      return createFileRegistry(repaired, (wanted) => imports.get(wanted)).getFile(name);
    } catch (error) {
      return this.#refuse(proto, error instanceof Error ? error.message : String(error));
    }
  }

  #imports(proto: FileDescriptorProto, depth: number): ReadonlyMap<string, DescFile> {
    const imports = new Map<string, DescFile>();
    for (const name of proto.dependency) {
      const file = this.#find(name, depth + 1);
      if (file === undefined) this.#repairs.push(`${proto.name}: left out the import ${name}, which is not there`);
      else imports.set(name, file);
    }
    return imports;
  }

  #refuse({ name, package: scope, service }: FileDescriptorProto, reason: string): undefined {
    const services = service.map((one) => (scope === "" ? one.name : `${scope}.${one.name}`));
    this.#refused.push({ name, reason, services });
  }
}

/** A copy with JSON names, and with imports only of files that are there. */
function repair(proto: FileDescriptorProto, imports: ReadonlyMap<string, DescFile>): FileDescriptorProto {
  const copy = clone(FileDescriptorProtoSchema, proto);
  const kept = proto.dependency.filter((name) => imports.has(name));
  // Public and weak imports are named by their places in the list.
  const move = (places: readonly number[]) =>
    places.map((place) => kept.indexOf(proto.dependency[place] ?? "")).filter((place) => place >= 0);
  copy.publicDependency = move(proto.publicDependency);
  copy.weakDependency = move(proto.weakDependency);
  copy.dependency = kept;
  for (const message of copy.messageType) nameFields(message);
  for (const field of copy.extension) nameField(field);
  return copy;
}

function nameFields(message: DescriptorProto): void {
  for (const field of [...message.field, ...message.extension]) nameField(field);
  for (const nested of message.nestedType) nameFields(nested);
}

/** Names a field as protoc does: https://protobuf.dev/programming-guides/json/#field-names */
function nameField(field: FieldDescriptorProto): void {
  if (field.jsonName === "") field.jsonName = field.name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase());
}
