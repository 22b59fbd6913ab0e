// Folders of .cache/interop, which git ignores: each is filled once, and again when what it is made of has changed.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { outputOf } from "../../support/program.js";

export const root: string = fileURLToPath(new URL("../../../", import.meta.url));
export const cache: string = join(root, ".cache", "interop");

// An installation from nothing compiles grpc-go and its dependencies.
const limitMs = 10 * 60_000;

/** A folder that exists while a process fills the one beside it. */
const lockOf = (name: string) => join(cache, `${name}.lock`);

/** Forgets the locks of a run that was killed. To be called before any `once`. */
export function unlock(): void {
  mkdirSync(cache, { recursive: true });
  for (const entry of readdirSync(cache)) if (entry.endsWith(".lock")) rmSync(join(cache, entry), { recursive: true });
}

/** Fills a folder of the cache, unless it is there and was made for the same `stamp`. Other processes wait until it is full. */
export async function once(name: string, stamp: string, fill: (folder: string) => Promise<void>): Promise<void> {
  while (!tryMakeFolder(lockOf(name))) await delay(100);
  try {
    await fillUnlessFull(name, stamp, fill);
  } finally {
    rmSync(lockOf(name), { recursive: true });
  }
}

function tryMakeFolder(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function fillUnlessFull(name: string, stamp: string, fill: (folder: string) => Promise<void>): Promise<void> {
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
