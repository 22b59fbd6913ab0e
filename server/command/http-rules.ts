// Reads the file of a service configuration, YAML or JSON, as data.
import type { ServerOptions } from "../options.js";
import type { Config } from "./config.js";

const maxBytes = 16 * 1024 * 1024;

/**
 * What `createServer` takes; undefined if nothing was set.
 *
 * @throws SettingError with a line for each syntax error, or one if the file cannot be read
 */
export async function readHttpRules({ httpRules: path, nameOf }: Config): Promise<ServerOptions["httpRules"]> {
  if (path === undefined) return undefined;
  // Loaded only here: most starts have no such file.
  const { readYamlFile, toData } = await import("./yaml-file.js");
  const name = nameOf("--http-rules");
  const place = `${name}: ${path}`;
  return toData(readYamlFile({ name, path, place, maxBytes }), place) as ServerOptions["httpRules"];
}
