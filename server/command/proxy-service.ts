// The service of `manywire proxy`: nothing of its own, all from upstreams.
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { ServerOptions } from "../options.js";
import { readCertificateFile } from "../program/pem.js";
import { SettingError } from "../program/setting-error.js";
import { readSettingFile } from "../program/setting-file.js";
import { SchemaCache } from "../upstream/schema-cache.js";
import { compileProtos } from "./compile-protos.js";
import type { Config } from "./config.js";

/**
 * Reads the files that the settings name.
 *
 * @throws SettingError
 */
export async function openProxyService(config: Config): Promise<ServerOptions> {
  const { upstream, nameOf } = config;
  const { urls, ca, reflection, schemaCache } = upstream;
  if (urls.length === 0) throw new SettingError("--upstream: expected the address of a gRPC server, found none", 2);
  const descriptorSet = await readSchema(config);
  if (!reflection && descriptorSet === undefined) {
    throw new SettingError(`${nameOf("--no-upstream-reflection")}: expected --proto or --schema to go with it`, 2);
  }
  if (schemaCache !== undefined) checkSchemaCache(nameOf("--schema-cache"), schemaCache);
  const tls = ca === undefined ? undefined : { ca: readCertificateFile(nameOf("--upstream-ca"), ca).pem };
  return {
    routes: () => {},
    upstreams: urls.map((url) => ({ url, tls, descriptorSet, reflection, schemaCache })),
  };
}

/** Returns undefined if the upstream's reflection has to give all services. */
async function readSchema({ upstream, nameOf }: Config): Promise<Uint8Array | undefined> {
  const { schema, protos } = upstream;
  if (protos === undefined) return schema === undefined ? undefined : readDescriptorSet(nameOf("--schema"), schema);
  if (schema === undefined) return compileProtos(protos, nameOf("--proto"));
  throw new SettingError(`${nameOf("--proto")}: expected either it or --schema, found both`, 2);
}

function checkSchemaCache(name: string, path: string): void {
  try {
    new SchemaCache(path);
  } catch (error) {
    throw new SettingError(`${name}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

function readDescriptorSet(name: string, path: string): Uint8Array {
  const bytes = readSettingFile(name, path);
  try {
    if (fromBinary(FileDescriptorSetSchema, bytes).file.length > 0) return bytes;
  } catch {
    // Said below.
  }
  throw new SettingError(`${name}: ${path}: expected a google.protobuf.FileDescriptorSet with files, found none`, 1);
}
