// The services of the server that a tool calls: by its reflection, or from a file.
import type {
  DescEnum,
  DescExtension,
  DescFile,
  DescMessage,
  DescMethod,
  DescService,
  Registry,
} from "@bufbuild/protobuf";
import { SettingError } from "../../program/setting-error.js";
import { readSettingFile } from "../../program/setting-file.js";
import { buildFiles } from "../../schema/build-files.js";
import { parseFile, splitDescriptorSet } from "../../schema/file-source.js";
import { knownFiles } from "../../schema/known-files.js";
import { createFileTypes } from "../../schema/types.js";
import { didYouMean } from "../../suggest.js";
import { readSchema } from "../../upstream/reflection-client.js";
import { openReflection, type TargetFlags } from "./target.js";
import { withHeaders } from "./with-headers.js";

/** What can be described. */
export type Declared = DescService | DescMethod | DescMessage | DescEnum | DescExtension;

export interface Schema {
  readonly services: readonly DescService[];
  /** All types of the files. */
  readonly types: Registry;
}

/**
 * Reads the schema of a server.
 *
 * @param path of a `FileDescriptorSet`; undefined for the server's reflection
 * @throws SettingError for a file, ConnectError of the reflection
 */
export async function loadSchema(address: string, flags: TargetFlags, path: string | undefined): Promise<Schema> {
  return path === undefined ? reflect(address, flags) : readFile(path);
}

async function reflect(address: string, flags: TargetFlags): Promise<Schema> {
  const { transport, headers } = openReflection(address, flags);
  try {
    const isKnown = (name: string) => knownFiles.has(name);
    const { files } = await readSchema(withHeaders(transport, headers), isKnown, new AbortController().signal);
    return toSchema([...buildFiles(files, knownFiles).files.values()]);
  } finally {
    transport.close();
  }
}

function readFile(path: string): Schema {
  const bytes = readSettingFile("--schema", path);
  try {
    const files = splitDescriptorSet(bytes).map(parseFile);
    const schema = toSchema([...buildFiles(files, knownFiles).files.values()]);
    if (schema.services.length > 0) return schema;
  } catch {
    // Said below.
  }
  throw new SettingError(
    `--schema: ${path}: expected a google.protobuf.FileDescriptorSet with services, found none`,
    1,
  );
}

function toSchema(files: readonly DescFile[]): Schema {
  const services = files.flatMap((file) => file.services).sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
  return { services, types: createFileTypes(new Set(files)) };
}

/**
 * Finds a method by `package.Service/Method` or `package.Service.Method`.
 *
 * @throws SettingError that says what there is
 */
export function findMethod({ services }: Schema, name: string): DescMethod {
  const methods = new Map(services.flatMap((service) => service.methods.map((each) => [nameOf(each), each] as const)));
  const found = methods.get(name.replace(/^\//, "")) ?? methods.get(name.replace(/\.(\w+)$/, "/$1"));
  if (found !== undefined) return found;
  throw new SettingError(`${name}: no such method${didYouMean(name, [...methods.keys()])}`, 2);
}

/** Finds a service, method, message, enum or extension by its full name. @throws SettingError */
export function findSymbol(schema: Schema, name: string): Declared {
  const full = name.replace(/^\./, "");
  const service = schema.services.find(({ typeName }) => typeName === full);
  const type = service ?? schema.types.get(full);
  if (type !== undefined && type.kind !== "service") return type;
  if (service !== undefined) return service;
  const names = schema.services.map(({ typeName }) => typeName);
  const method = schema.services.flatMap(({ methods }) => methods).find((each) => isNamed(each, full));
  if (method !== undefined) return method;
  throw new SettingError(
    `${name}: expected a service, method, message, enum or extension, found none${didYouMean(full, names)}`,
    2,
  );
}

function nameOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

function isNamed(method: DescMethod, name: string): boolean {
  return nameOf(method) === name || nameOf(method).replace("/", ".") === name;
}
