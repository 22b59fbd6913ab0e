// Puts the judges of OpenAPI documents that npm has into .cache/interop/openapi, where they cannot meet the versions of
// our own dependencies.
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cache, install, once } from "../cache.js";

/** The project that has them. */
export const judges: string = join(cache, "openapi");

const manifest = join(import.meta.dirname, "package.json");

/** Installs them, if they are missing. */
export async function installJudges(): Promise<void> {
  await once("openapi", readFileSync(manifest, "utf8"), async (folder) => {
    copyFileSync(manifest, join(folder, "package.json"));
    await install("npm", ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"]);
  });
}

/** Imports a file of one of their packages: `ajv/dist/2020.js`. */
// biome-ignore lint/suspicious/noExplicitAny: the compiler of this project does not see their types.
export function importJudge(file: string): Promise<any> {
  return import(pathToFileURL(join(judges, "node_modules", file)).href);
}
