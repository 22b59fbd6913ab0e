// Installs the packed package in an empty project outside of the checkout, where nothing else can be found.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, outputOf, run } from "./program.js";
import type { Stage } from "./stage.js";

/** A file that `npm pack` made. */
export interface Tarball {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** An empty project. To be disposed, which removes it. */
export interface NpmProject extends AsyncDisposable {
  readonly folder: string;
  /** Installs packages, which are names with versions or paths of tarballs. */
  install(...packages: string[]): Promise<Outcome>;
  /** The output of a program that runs in the project's folder. */
  outputOf(program: string, ...args: string[]): Promise<string>;
}

/** npm's own is minutes if a registry does not respond. */
const patience = ["--fetch-retries", "1", "--fetch-retry-mintimeout", "500", "--fetch-retry-maxtimeout", "1000"];

export async function createNpmProject(): Promise<NpmProject> {
  const folder = await mkdtemp(join(tmpdir(), "manywire-project-"));
  await writeFile(join(folder, "package.json"), '{"name":"project","type":"module","private":true}');
  const install = ["install", "--prefix", folder, "--prefer-offline", "--no-audit", "--no-fund", ...patience];
  return {
    folder,
    install: (...packages) => run("npm", [...install, ...packages], { limitMs: 100_000 }),
    outputOf: (program, ...args) => outputOf(program, args, { cwd: folder, limitMs: 60_000 }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** Packs the package into a folder. */
export async function pack(stage: Stage, folder: string): Promise<Tarball> {
  const options = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [tarball]: [Tarball] = JSON.parse(await outputOf("npm", [...options, stage.folder], { limitMs: 60_000 }));
  return tarball;
}

/** npm's warnings, but for those of its own configuration, and of a script that a package from a registry does not run. */
export function listWarnings(stderr: string): string[] {
  const lines = stderr.split("\n").filter((line) => /\bwarn\b/i.test(line));
  const scripts = lines.filter((line) => line.includes("install-scripts   "));
  const isOurs = scripts.every((line) => line.includes(" manywire@") && line.includes("(prepare: "));
  return lines.filter((line) => !/unknown .*config/i.test(line) && !(isOurs && line.includes("install-scripts")));
}
