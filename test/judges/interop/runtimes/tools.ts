// Puts the runtimes and frameworks that serve by `fetch`, or mount the server, into .cache/interop/runtimes, with a program for each.

import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { stagePackage } from "../../../support/stage.js";
import { cache, install, once, root } from "../cache.js";

/** The project that has the programs. */
export const project: string = join(cache, "runtimes");

/** Installs what is missing, and the package as it is now. */
export async function installRuntimes(): Promise<void> {
  const { dependencies: own } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { dependencies, ...manifest } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8"));
  const text = JSON.stringify({ ...manifest, dependencies: { ...dependencies, ...own } });
  await once("runtimes", text, async (folder) => {
    writeFileSync(join(folder, "package.json"), text);
    await install("npm", ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"]);
  });
  await using stage = await stagePackage();
  cpSync(stage.folder, join(project, "node_modules", "manywire"), { recursive: true });
  cpSync(join(import.meta.dirname, "app"), project, { recursive: true });
  await build({
    entryPoints: [join(root, "test/gen/manywire/test/v1/test_pb.ts")],
    outfile: join(project, "test_pb.js"),
    bundle: true,
    format: "esm",
    external: ["@bufbuild/protobuf"],
  });
}

/** Makes one file of the worker and what it imports but Node's modules, as Cloudflare's own tools do. */
export async function bundleWorker(): Promise<void> {
  await build({
    entryPoints: [join(project, "worker.js")],
    outfile: join(project, "worker.bundle.js"),
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", ...builtinModules],
  });
}

/** The program in a package for this platform, which the install script of `bun`, `deno` or `workerd` would link. */
export function platformProgram(scope: string, path: string): string {
  const folder = join(project, "node_modules", scope);
  const found = readdirSync(folder)
    .map((name) => join(folder, name, path))
    .find(existsSync);
  if (found === undefined) throw new Error(`${folder}: expected a package with ${path}, found none`);
  return found;
}
