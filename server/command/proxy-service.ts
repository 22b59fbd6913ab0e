// The service of `manywire proxy`: nothing of its own, all from upstreams.
import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { ServerOptions } from "../options.js";
import { describeFileError } from "../program/file-error.js";
import { readCertificateFile } from "../program/pem.js";
import { SettingError } from "../program/setting-error.js";
import { compileProtos } from "./compile-protos.js";
import type { Config } from "./config.js";

/**
 * Reads the files that the settings name.
 *
 * @throws SettingError
 */
export async function openProxyService({ upstream, nameOf }: Config): Promise<ServerOptions> {
  const { urls, ca, schema, protos } = upstream;
  if (urls.length === 0) throw new SettingError("--upstream: expected the address of a gRPC server, found none", 2);
  if (schema !== undefined && protos !== undefined) {
    throw new SettingError(`${nameOf("--proto")}: expected either it or --schema, found both`, 2);
  }
  const descriptorSet =
    schema !== undefined
      ? readDescriptorSet(schema, `${nameOf("--schema")}: ${schema}`)
      : protos !== undefined
        ? await compileProtos(protos, nameOf("--proto"))
        : undefined;
  const tls = ca === undefined ? undefined : { ca: readCertificateFile(nameOf("--upstream-ca"), ca).pem };
  return {
    routes: () => {},
    upstreams: urls.map((url) => ({ url, tls, descriptorSet })),
    ...(descriptorSet !== undefined && { docs: { descriptorSet } }),
  };
}

function readDescriptorSet(path: string, place: string): Uint8Array {
  const bytes = readBytes(path, place);
  try {
    if (fromBinary(FileDescriptorSetSchema, bytes).file.length > 0) return bytes;
  } catch {
    // Said below.
  }
  throw new SettingError(`${place}: expected a google.protobuf.FileDescriptorSet with files, found none`, 1);
}

function readBytes(path: string, place: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SettingError(`${place}: ${describeFileError(error)}`, 1);
  }
}
