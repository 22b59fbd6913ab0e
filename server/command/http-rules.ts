// Reads the file of a service configuration, YAML or JSON, which is YAML too, as data (https://yaml.org/spec/1.2.2/).
import { readFileSync } from "node:fs";
import type { ServerOptions } from "../options.js";
import { describeFileError } from "../program/file-error.js";
import { SettingError } from "../program/setting-error.js";
import type { Config } from "./config.js";

/**
 * What `createServer` takes; undefined if nothing was set.
 *
 * @throws SettingError with a line for each syntax error, or one if the file cannot be read
 */
export async function readHttpRules({ httpRules: path, nameOf }: Config): Promise<ServerOptions["httpRules"]> {
  if (path === undefined) return undefined;
  const name = `${nameOf("--http-rules")}: ${path}`;
  const text = readText(path, name);
  // Loaded only here: most starts have no such file.
  const { LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map(({ pos, message }) => {
    const { line, col } = lines.linePos(pos[0]);
    return `${name}: line ${line}, column ${col}: ${message}`;
  });
  if (problems.length > 0) throw new SettingError(problems.join("\n"), 1);
  return document.toJS() as ServerOptions["httpRules"];
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new SettingError(`${name}: ${describeFileError(error)}`, 1);
  }
}
