// Reads files that settings name.
import { readFileSync } from "node:fs";
import { SettingError } from "./setting-error.js";

/**
 * @param name the name of the setting, for the error
 * @throws SettingError with exit code 1
 */
export function readSettingFile(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SettingError(`${name}: ${path}: ${reasons.get(code ?? "") ?? message}`, 1);
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file"],
  ["EACCES", "no permission to read it"],
  ["EISDIR", "a folder, expected a file"],
]);
