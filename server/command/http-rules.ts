// Reads the file of a service configuration, YAML or JSON, which is YAML too, as data (https://yaml.org/spec/1.2.2/).
import type { ServerOptions } from "../options.js";
import { SettingError } from "../program/setting-error.js";
import { readSettingFile } from "../program/setting-file.js";
import type { Config } from "./config.js";

/**
 * What `createServer` takes; undefined if nothing was set.
 *
 * @throws SettingError with a line for each syntax error, or one if the file cannot be read
 */
export async function readHttpRules({ httpRules: path, nameOf }: Config): Promise<ServerOptions["httpRules"]> {
  if (path === undefined) return undefined;
  const text = readSettingFile(nameOf("--http-rules"), path).toString();
  // Loaded only here: most starts have no such file.
  const { LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map(({ pos, message }) => {
    const { line, col } = lines.linePos(pos[0]);
    return `${nameOf("--http-rules")}: ${path}: line ${line}, column ${col}: ${message}`;
  });
  if (problems.length > 0) throw new SettingError(problems.join("\n"), 1);
  return document.toJS() as ServerOptions["httpRules"];
}
