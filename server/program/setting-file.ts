// Reads files that settings name.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { SettingError } from "./setting-error.js";

/**
 * @param name the name of the setting, for the error
 * @param maxBytes a larger file is an error, without being read to its end
 * @throws SettingError with exit code 1
 */
export function readSettingFile(name: string, path: string, maxBytes?: number): Buffer {
  try {
    return maxBytes === undefined ? readFileSync(path) : readBounded(path, maxBytes);
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

/** Also of a device or a pipe, whose size is not known before. */
function readBounded(path: string, maxBytes: number): Buffer {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null);
    }
    if (length > maxBytes) throw new Error(`expected at most ${maxBytes} bytes, found more`);
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
