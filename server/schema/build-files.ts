// Builds descriptors of files that come from elsewhere, such as a server's reflection, which often are incomplete: imports
// are missing, mostly of files that only options need; JSON names are missing; placeholders stand for files.
import { clone, createFileRegistry, type DescFile, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { quote } from "../quote.js";
import { checkFile } from "./check-file.js";
import { type FileSource, setSerialised, withoutComments } from "./file-source.js";
import { DeclaredTypes, namedTypes } from "./named-types.js";
import { repairFile } from "./repair-file.js";

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
/** More imports than this, one below the other, or in one file, are a fault. */
const importDepthMax = 200;
const importsMax = 10_000;
/** Types that are looked at for all imports of all files. 2,000 files with 20 imports of 30 types each have 1.2 million. */
const importedTypesMax = 10_000_000;

/**
 * Builds the descriptors of files. What is wrong with one changes nothing for those that do not import it.
 *
 * @param sources of two with one name, the first counts that is no placeholder
 * @param known descriptors of files that may be missing, by file name
 */
export function buildFiles(sources: readonly FileSource[], known: ReadonlyMap<string, DescFile>): BuiltFiles {
  return new Builder(sources, known).build();
}

/** Whether a file says nothing: some servers give one instead of a file that they do not have. */
function isPlaceholder({ syntax, ...file }: FileDescriptorProto): boolean {
  const isEmpty = file.messageType.length + file.enumType.length + file.service.length + file.extension.length === 0;
  return isEmpty && (syntax.startsWith("<") || file.dependency.length === 0);
}

class Builder {
  readonly #sources = new Map<string, FileSource>();
  readonly #known: ReadonlyMap<string, DescFile>;
  readonly #declared: DeclaredTypes;
  /** Undefined: the file cannot be built, or is being built. */
  readonly #files = new Map<string, DescFile | undefined>();
  /** How many imports a file has one below the other. */
  readonly #heights = new Map<DescFile, number>();
  #importedTypes = 0;
  readonly #repairs: string[] = [];
  readonly #refused: RefusedFile[] = [];

  constructor(sources: readonly FileSource[], known: ReadonlyMap<string, DescFile>) {
    this.#known = known;
    for (const source of sources) {
      const first = this.#sources.get(source.proto.name)?.proto;
      if (first === undefined || isPlaceholder(first)) this.#sources.set(source.proto.name, source);
    }
    const names = new Set([...this.#sources.keys(), ...known.keys()]);
    const protos = [...names].flatMap((name) => this.#knownOf(name)?.proto ?? this.#sources.get(name)?.proto ?? []);
    this.#declared = new DeclaredTypes(protos);
  }

  build(): BuiltFiles {
    for (const name of this.#sources.keys()) this.#find(name, 0);
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

  /** Our own file, where it counts. */
  #knownOf(name: string): DescFile | undefined {
    const source = this.#sources.get(name);
    const isNeeded = source === undefined || isPlaceholder(source.proto) || name.startsWith(wellKnown);
    return isNeeded ? this.#known.get(name) : undefined;
  }

  #make(name: string, depth: number): DescFile | undefined {
    const source = this.#sources.get(name);
    const known = this.#knownOf(name);
    if (known !== undefined) return known;
    if (source === undefined || isPlaceholder(source.proto)) return undefined;
    const proto = clone(FileDescriptorProtoSchema, source.proto);
    try {
      const isMalformed = repairFile(proto, this.#declared);
      checkFile(proto);
      if (depth > importDepthMax) throw tooDeep();
      if (proto.dependency.length > importsMax) throw new Error(`expected at most ${importsMax} imports, found more`);
      const imports = this.#imports(proto, depth);
      const file = this.#link(proto, imports);
      setSerialised(file, serialise(source, isMalformed ? proto : undefined, imports));
      return file;
    } catch (error) {
      return this.#refuse(proto, error instanceof Error ? error.message : String(error));
    }
  }

  /** The files that a file imports, by name, and those whose types it has without importing them. */
  #imports(proto: FileDescriptorProto, depth: number): ReadonlyMap<string, DescFile> {
    const imports = new Map<string, DescFile>();
    for (const name of new Set(proto.dependency)) {
      const file = this.#find(name, depth + 1);
      if (file === undefined) this.#repairs.push(`${proto.name}: left out the import ${name}, which is not there`);
      else imports.set(name, file);
    }
    // By a public import of an import, or because the server lists no imports.
    for (const type of namedTypes(proto)) {
      const name = this.#declared.fileOf(type, imports, proto.name);
      const file = name === undefined ? undefined : this.#find(name, depth + 1);
      if (name !== undefined && file !== undefined) imports.set(name, file);
    }
    return imports;
  }

  #link(proto: FileDescriptorProto, imports: ReadonlyMap<string, DescFile>): DescFile {
    const height = 1 + Math.max(0, ...[...imports.values()].map((file) => this.#heights.get(file) ?? 0));
    if (height > importDepthMax) throw tooDeep();
    setImports(proto, [...imports.keys()]);
    const file = createFileRegistry(proto, (name) => this.#withoutImports(imports.get(name))).getFile(proto.name);
    if (file === undefined) throw new Error(`expected the file ${quote(proto.name)}, found none`);
    file.dependencies.splice(0, file.dependencies.length, ...imports.values());
    this.#heights.set(file, height);
    return file;
  }

  /**
   * The registry adds the imports of an import once for each path to them, of which there are exponentially many. All that the
   * file needs is in `imports`, so that each is given without its own.
   */
  #withoutImports(file: DescFile | undefined): DescFile | undefined {
    if (file === undefined) return undefined;
    this.#importedTypes += this.#declared.count(file.proto);
    if (this.#importedTypes <= importedTypesMax) return { ...file, dependencies: [] };
    throw new Error(`expected at most ${importedTypesMax} types in the imports of all files, found more`);
  }

  #refuse({ name, package: scope, service }: FileDescriptorProto, reason: string): undefined {
    const services = service.map((one) => (scope === "" ? one.name : `${scope}.${one.name}`));
    this.#refused.push({ name, reason, services });
  }
}

function tooDeep(): Error {
  return new Error(`expected at most ${importDepthMax} imports, one below the other, found more`);
}

/**
 * What others are given: the bytes as they came. Where imports are not there, the file without them, and where the file is
 * malformed, the repaired one: tools could not use what came.
 */
function serialise(
  source: FileSource,
  repaired: FileDescriptorProto | undefined,
  imports: ReadonlyMap<string, DescFile>,
): Uint8Array {
  const listed = [...new Set(source.proto.dependency)];
  const kept = listed.filter((name) => imports.has(name));
  if (repaired === undefined && kept.length === listed.length) return withoutComments(source);
  const copy = clone(FileDescriptorProtoSchema, repaired ?? source.proto);
  if (repaired === undefined) setImports(copy, kept);
  copy.sourceCodeInfo = undefined;
  return toBinary(FileDescriptorProtoSchema, copy);
}

/** Replaces the imports. Public and weak ones are named by their places in the list. */
function setImports(proto: FileDescriptorProto, names: readonly string[]): void {
  const places = new Map(names.map((name, place) => [name, place]));
  const move = (old: readonly number[]) => [
    ...new Set(old.flatMap((place) => places.get(proto.dependency[place] ?? "") ?? [])),
  ];
  proto.publicDependency = move(proto.publicDependency);
  proto.weakDependency = move(proto.weakDependency);
  proto.dependency = [...names];
}
