// Notices when files change. It looks at them again and again instead of waiting for events of the file system, which differ
// from system to system: editors rename files, Kubernetes swaps a link to their folder, and mounts have no events at all.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Files to watch, and folders whose proto files are watched. */
export interface Watched {
  readonly list: () => readonly string[];
  /** Called when files have changed and then stayed the same from one look to the next. */
  readonly onChange: () => void;
  /** Resolves when it is time to look again; false to stop. */
  readonly untilNext: () => Promise<boolean>;
}

/** Watches until it is stopped. A path that is new in the list is no change. */
export async function watchFiles({ list, onChange, untilNext }: Watched): Promise<void> {
  let known = await statesOf(list());
  let last = known;
  while (await untilNext()) {
    const now = await statesOf(list());
    const isStill = !differ(last, now);
    last = now;
    if (!isStill) continue;
    const hasChanged = differ(known, now);
    known = now;
    if (hasChanged) onChange();
  }
}

/** Path → what changes with the file. */
type States = ReadonlyMap<string, string>;

async function statesOf(paths: readonly string[]): Promise<States> {
  return new Map(await Promise.all(paths.map(async (path) => [path, await stateOf(path)] as const)));
}

function differ(before: States, after: States): boolean {
  return [...after].some(([path, state]) => before.has(path) && before.get(path) !== state);
}

async function stateOf(path: string): Promise<string> {
  try {
    const stats = await stat(path);
    return stats.isDirectory() ? await stateOfFolder(path) : `${stats.ino} ${stats.size} ${stats.ctimeMs}`;
  } catch {
    // Whatever the reason is, a reload will name it.
    return "absent";
  }
}

async function stateOfFolder(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".proto")).sort();
  const states = await Promise.all(names.map(async (name) => `${name} ${await stateOf(join(folder, name))}`));
  return states.join("\n");
}
