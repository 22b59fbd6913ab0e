// The schema of another server: the services to forward, and what is wrong with their files.
import type { DescFile, DescService } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { type BuiltFiles, buildFiles } from "../schema/build-files.js";

/** The services of a server. */
export interface UpstreamSchema {
  readonly services: readonly DescService[];
  /** A sentence for each thing that was added to the files, or left out. */
  readonly repairs: readonly string[];
  /** A sentence for each service that is not served, with the cause. */
  readonly unserved: readonly string[];
}

/**
 * Builds the services of files.
 *
 * @param known files that may be missing, by file name
 * @param names full names of the services to serve; all that the files define, if undefined
 */
export function buildSchema(
  files: readonly FileDescriptorProto[],
  known: ReadonlyMap<string, DescFile>,
  names?: readonly string[],
): UpstreamSchema {
  const built = buildFiles(files, known);
  const given = new Set(files.map(({ name }) => name));
  const defined = servicesIn([...built.files].filter(([name]) => given.has(name)).map(([, file]) => file));
  const wanted = names ?? [...defined.keys()];
  const services = wanted.flatMap((name) => defined.get(name) ?? []);
  const missing = wanted.filter((name) => !defined.has(name)).map((name) => `${name}: ${causeOf(name, built)}`);
  const refused = names === undefined ? built.refused.map(({ name, reason }) => `${name}: ${reason}`) : [];
  return { services, repairs: built.repairs, unserved: [...missing, ...refused] };
}

function servicesIn(files: readonly DescFile[]): ReadonlyMap<string, DescService> {
  return new Map(files.flatMap((file) => file.services.map((service) => [service.typeName, service])));
}

function causeOf(service: string, { refused }: BuiltFiles): string {
  const file = refused.find(({ services }) => services.includes(service));
  return file === undefined ? "its file is not there" : `${file.name}: ${file.reason}`;
}
