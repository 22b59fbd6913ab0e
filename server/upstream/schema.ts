// The schema of another server: the services to forward, and what is wrong with their files.
import type { DescFile, DescService } from "@bufbuild/protobuf";
import { buildFiles } from "../schema/build-files.js";
import type { FileSource } from "../schema/file-source.js";
import type { ReflectedSchema } from "./reflection-client.js";
import { isOfTools } from "./tools.js";

/** What a schema is made of. */
export interface SchemaParts {
  /** Files of a descriptor set. */
  readonly set?: readonly FileSource[] | undefined;
  readonly reflected?: ReflectedSchema | undefined;
}

/** The services of a server. */
export interface UpstreamSchema {
  readonly services: readonly DescService[];
  /** A sentence for each thing that was added to the files, or left out. */
  readonly repairs: readonly string[];
  /** A sentence for each service that is not served, with the cause. */
  readonly unserved: readonly string[];
  /** Full names of services that the server lists, and whose files cannot be used. */
  readonly broken: readonly string[];
}

/** Services of one source, by their full names, and what is wrong with its files. */
interface Source {
  readonly services: ReadonlyMap<string, DescService>;
  /** Service → why its file cannot be used. */
  readonly refusals: ReadonlyMap<string, string>;
  readonly repairs: readonly string[];
}

const nothing: Source = { services: new Map(), refusals: new Map(), repairs: [] };

/**
 * Builds the services: those of the set, and those that only the server lists.
 *
 * @param known files that may be missing, by file name
 * @param names full names of the services to serve; all, if undefined
 */
export function buildSchema(
  { set, reflected }: SchemaParts,
  known: ReadonlyMap<string, DescFile>,
  names?: readonly string[],
): UpstreamSchema {
  const ofSet = set === undefined ? nothing : build(set, [], known);
  const ofServer = reflected === undefined ? nothing : build(reflected.files, set ?? [], known);
  const listed = new Set(reflected?.services);
  const find = (name: string) =>
    ofSet.services.get(name) ?? (listed.has(name) ? ofServer.services.get(name) : undefined);
  const all = [...ofSet.services.keys(), ...ofSet.refusals.keys(), ...listed].filter((name) => !isOfTools(name));
  const wanted = [...new Set(names ?? all)];
  const missing = wanted.filter((name) => find(name) === undefined);
  const causeOf = (name: string) =>
    reflected?.problems.get(name) ?? ofServer.refusals.get(name) ?? ofSet.refusals.get(name) ?? "no file defines it";
  return {
    services: wanted.flatMap((name) => find(name) ?? []),
    repairs: [...ofSet.repairs, ...ofServer.repairs],
    unserved: missing.map((name) => `${name}: ${causeOf(name)}`),
    broken: missing.filter((name) => listed.has(name)),
  };
}

/** @param others files that count where they are missing among the first */
function build(
  files: readonly FileSource[],
  others: readonly FileSource[],
  known: ReadonlyMap<string, DescFile>,
): Source {
  const { files: built, repairs, refused } = buildFiles([...files, ...others], known);
  const given = new Set(files.map(({ proto }) => proto.name));
  const own = [...built].filter(([name]) => given.has(name)).map(([, file]) => file);
  const services = new Map(own.flatMap((file) => file.services.map((service) => [service.typeName, service])));
  const refusals = new Map(
    refused.flatMap(({ name, services, reason }) => services.map((one) => [one, `${name}: ${reason}`])),
  );
  // Files without services have no line of their own among the services that are not served.
  const imports = refused.filter(({ services }) => services.length === 0);
  return { services, refusals, repairs: [...repairs, ...imports.map(({ name, reason }) => `${name}: ${reason}`)] };
}
