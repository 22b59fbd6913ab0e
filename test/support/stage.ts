// Builds the package as it is published, but for its dependencies, in a folder of its own under the checkout, so that
// it finds the packages that are installed there.
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outputOf } from "./program.js";

/** The checkout, with its slash at the end. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** A built package. To be disposed, which removes it. */
export interface Stage extends AsyncDisposable {
  readonly folder: string;
  /** The command's file. */
  readonly main: string;
}

/** What a package needs besides what is built. */
const files = [
  "package.json",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
  "proto/hello_world.proto",
  "proxy.schema.json",
  "template",
];

export async function stagePackage(): Promise<Stage> {
  await mkdir(join(root, ".cache"), { recursive: true });
  const folder = await mkdtemp(join(root, ".cache", "package-"));
  const dispose = () => rm(folder, { recursive: true });
  try {
    await build(folder);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { folder, main: join(folder, "dist/server/main.js"), [Symbol.asyncDispose]: dispose };
}

async function build(folder: string): Promise<void> {
  for (const file of files) await cp(join(root, file), join(folder, file), { recursive: true });
  const tsc = join(root, "node_modules", ".bin", "tsc");
  // Types have been checked by lint.
  const options = ["--noCheck", "--outDir", join(folder, "dist")];
  await outputOf(tsc, ["-p", join(root, "tsconfig.build.json"), ...options], { limitMs: 60_000 });
  for (const script of ["server/pages/copy.js", "proto/copy.js"]) {
    await outputOf(process.execPath, [join(root, script), join(folder, "dist")]);
  }
}
