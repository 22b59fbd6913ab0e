// The upstreams of `manywire proxy`: reads the files that their settings name.
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readCertificateFile } from "../program/pem.js";
import { SettingError } from "../program/setting-error.js";
import { readSettingFile } from "../program/setting-file.js";
import type { UpstreamOptions } from "../upstream/options.js";
import { SchemaCache } from "../upstream/schema-cache.js";
import { readKeyPair } from "./certificates.js";
import { compileProtos } from "./compile-protos.js";
import type { Config } from "./config.js";
import { type Given, onlyFlags } from "./settings.js";
import type { UpstreamFiles, UpstreamSettings } from "./upstream-settings.js";

/** Flags that say something of the server at `--upstream`. */
const upstreamFlags = onlyFlags.filter((flag) => flag !== "--config" && flag !== "--upstream");

/**
 * Returns the options of the upstreams.
 *
 * @throws SettingError with a line for each file that cannot be used
 */
export async function openUpstreams(config: Config): Promise<readonly UpstreamOptions[]> {
  const { upstreams, given, nameOf, schemaCache } = config;
  const lonely = given.has("--upstream") ? undefined : upstreamFlags.find((flag) => given.has(flag));
  if (lonely !== undefined) throw new SettingError(`${nameOf(lonely)}: expected --upstream to go with it`, 2);
  if (upstreams.length === 0) {
    throw new SettingError("--upstream: expected the address of a gRPC server, found none", 2);
  }
  if (schemaCache !== undefined) checkSchemaCache(nameOf("--schema-cache"), schemaCache);
  const compile = createCompiler();
  const outcomes = await Promise.allSettled(upstreams.map((settings) => openUpstream(settings, compile)));
  const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  const unexpected = errors.find((error) => !(error instanceof SettingError));
  if (unexpected !== undefined) throw unexpected;
  if (errors.length > 0) {
    // The flags hold for all upstreams, and what is wrong with them is the same for each.
    const lines = new Set(errors.map(({ message }) => message));
    throw new SettingError([...lines].join("\n"), Math.max(...errors.map(({ exitCode }) => exitCode)) as 1 | 2);
  }
  const options = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  return schemaCache === undefined ? options : options.map((each) => ({ ...each, schemaCache }));
}

function checkSchemaCache(name: string, path: string): void {
  try {
    new SchemaCache(path);
  } catch (error) {
    throw new SettingError(`${name}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

type Compile = (folder: Given<string>) => Promise<Uint8Array>;

/** Compiles each folder once. */
function createCompiler(): Compile {
  const sets = new Map<string, Promise<Uint8Array>>();
  return ({ name, value }) => {
    const set = sets.get(value) ?? compileProtos(value, name);
    sets.set(value, set);
    return set;
  };
}

async function openUpstream(settings: UpstreamSettings, compile: Compile): Promise<UpstreamOptions> {
  const tls = readTls(settings);
  const { options, reflection } = settings;
  const descriptorSet = await readSchema(settings.files, compile);
  if (reflection?.value === false && descriptorSet === undefined) {
    throw new SettingError(`${reflection.name}: expected --proto or --schema to go with it`, 2);
  }
  return {
    ...options,
    ...(reflection && { reflection: reflection.value }),
    ...(tls && { tls }),
    ...(descriptorSet && { descriptorSet }),
  };
}

function readTls({ files: { ca, cert, key }, serverName }: UpstreamSettings): UpstreamOptions["tls"] {
  if (ca === undefined && cert === undefined && serverName === undefined) return undefined;
  return {
    ...(ca !== undefined && { ca: readCertificateFile(ca.name, ca.value).pem }),
    ...(cert !== undefined && key !== undefined && readKeyPair(cert, key)),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/** Returns undefined if the upstream's reflection has to give all services. */
async function readSchema({ proto, schema }: UpstreamFiles, compile: Compile): Promise<Uint8Array | undefined> {
  if (proto === undefined) return schema && readDescriptorSet(schema);
  if (schema === undefined) return compile(proto);
  throw new SettingError(`${proto.name}: expected either it or --schema, found both`, 2);
}

function readDescriptorSet({ name, value: path }: Given<string>): Uint8Array {
  const bytes = readSettingFile(name, path);
  try {
    if (fromBinary(FileDescriptorSetSchema, bytes).file.length > 0) return bytes;
  } catch {
    // Said below.
  }
  throw new SettingError(`${name}: ${path}: expected a google.protobuf.FileDescriptorSet with files, found none`, 1);
}
