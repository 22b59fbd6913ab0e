// Builds what tests run as a process of its own, once per state of the sources.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const cache = join(root, "node_modules/.cache/manywire-processes");
const sources = ["server", "client", "gen", "test/gen", "test/support", "package.json"];
const keptMs = 3_600_000;

/** The folder that holds the build: the project's tree, as JavaScript. Test files that run side by side share it. */
export function buildProcesses(): string {
  const target = join(cache, Math.max(...sources.map((path) => newest(join(root, path)))).toString(36));
  if (existsSync(target)) return target;
  removeOld();
  const draft = `${target}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const project = join(root, "test/support/process/tsconfig.json");
  // Errors are for the lint to find; what can be built is built.
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", project, "--outDir", draft], { encoding: "utf8" });
  if (!existsSync(join(draft, "server/main.js"))) throw new Error(`nothing was built: ${stdout}`);
  // Tells Node that these are modules, and that they are the package.
  copyFileSync(join(root, "package.json"), join(draft, "package.json"));
  try {
    renameSync(draft, target);
  } catch {
    // Another test file was faster, with the same result.
    rmSync(draft, { recursive: true });
  }
  return target;
}

/** When anything in the path was changed last, in milliseconds. */
function newest(path: string): number {
  if (!statSync(path).isDirectory()) return Math.round(statSync(path).mtimeMs);
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return Math.max(
    ...entries
      .filter((entry) => entry.isFile())
      .map((entry) => Math.round(statSync(join(entry.parentPath, entry.name)).mtimeMs)),
  );
}

function removeOld(): void {
  if (!existsSync(cache)) return;
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (Date.now() - statSync(path).mtimeMs > keptMs) rmSync(path, { recursive: true, force: true });
  }
}
