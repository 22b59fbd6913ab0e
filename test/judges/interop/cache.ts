// Folders of .cache/interop, which git ignores: each is filled once, and again when what it is made of has changed.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outputOf } from "../../support/program.js";

export const root: string = fileURLToPath(new URL("../../../", import.meta.url));
export const cache: string = join(root, ".cache", "interop");

// An installation from nothing compiles grpc-go and its dependencies.
const limitMs = 10 * 60_000;

/** Fills a folder of the cache, unless it is there and was made for the same `stamp`. */
export async function once(name: string, stamp: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(cache, name);
  const stampFile = join(cache, `${name}.stamp`);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await fill(folder);
  writeFileSync(stampFile, stamp);
}

/** Runs a program in a folder of ours. Rejects with an Error that names it if it is missing or fails. */
export async function install(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<void> {
  try {
    await outputOf(command, args, { ...options, limitMs });
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (!isMissing) throw error;
    throw new Error(`${command}: not found on the PATH; the interop tests need Go 1.21 and Python 3.10, or newer`, {
      cause: error,
    });
  }
}
