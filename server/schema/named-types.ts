// Which types the files of a schema name, and which files declare them.
import type { DescriptorProto, FieldDescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** Full names of the types that a file names: of fields, extended messages, requests and responses. With a leading dot. */
export function namedTypes(file: FileDescriptorProto): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { inputType, outputType } of file.service.flatMap(({ method }) => method)) {
    names.add(inputType).add(outputType);
  }
  for (const { typeName, extendee } of fieldsOf(file)) {
    if (typeName !== "") names.add(typeName);
    if (extendee !== "") names.add(extendee);
  }
  return names;
}

function* fieldsOf(file: FileDescriptorProto): Generator<FieldDescriptorProto> {
  yield* file.extension;
  for (const [, { field, extension }] of messagesOf(file)) {
    yield* field;
    yield* extension;
  }
}

/** The files that declare messages and enums, by the names of these. */
export class DeclaredTypes {
  /** Full name with a leading dot → names of files. */
  readonly #files = new Map<string, string[]>();
  readonly #counts = new Map<FileDescriptorProto, number>();

  constructor(files: Iterable<FileDescriptorProto>) {
    for (const file of files) {
      for (const name of declaredIn(file)) {
        const known = this.#files.get(name);
        if (known === undefined) this.#files.set(name, [file.name]);
        else known.push(file.name);
      }
    }
  }

  /** Whether any file declares a type. */
  has(type: string): boolean {
    return this.#files.has(type);
  }

  /** The first file that declares a type, unless one of the imports or the file itself does. */
  fileOf(type: string, imports: ReadonlyMap<string, unknown>, ownName: string): string | undefined {
    const files = this.#files.get(type) ?? [];
    return files.some((name) => name === ownName || imports.has(name)) ? undefined : files[0];
  }

  /** How many types a file declares. */
  count(file: FileDescriptorProto): number {
    const count = this.#counts.get(file) ?? [...declaredIn(file)].length;
    this.#counts.set(file, count);
    return count;
  }
}

/** Full names of the messages and enums of a file, with a leading dot. */
function* declaredIn(file: FileDescriptorProto): Generator<string> {
  const scope = scopeOf(file);
  for (const { name } of file.enumType) yield `${scope}.${name}`;
  for (const [name, { enumType }] of messagesOf(file)) {
    yield name;
    for (const one of enumType) yield `${name}.${one.name}`;
  }
}

/** Messages with their full names, with a leading dot, those inside others after these. */
export function* messagesOf(file: FileDescriptorProto): Generator<[string, DescriptorProto]> {
  const scope = scopeOf(file);
  const found: [string, DescriptorProto][] = file.messageType.map((one) => [`${scope}.${one.name}`, one]);
  for (let next = found.pop(); next !== undefined; next = found.pop()) {
    yield next;
    const [name, { nestedType }] = next;
    for (const one of nestedType) found.push([`${name}.${one.name}`, one]);
  }
}

/** The package with a leading dot; empty without one. */
export function scopeOf({ package: name }: FileDescriptorProto): string {
  return name === "" ? "" : `.${name}`;
}
