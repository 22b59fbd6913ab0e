// Says in words why a file cannot be read.

/** A reason, to follow the path of the file. */
export function describeFileError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons.get(code ?? "") ?? message;
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file"],
  ["EACCES", "no permission to read it"],
  ["EISDIR", "a folder, expected a file"],
]);
