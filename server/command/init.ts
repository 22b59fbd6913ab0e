// Writes a project with a service that runs: `manywire init`.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { SettingError } from "../program/setting-error.js";

/** The manifest of a package, as far as it matters here. */
interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const require = createRequire(import.meta.url);
/** Found by the package's own name, so that it is the same from the sources and from the build. */
const root = dirname(require.resolve("manywire/package.json"));
const template = join(root, "template");

/**
 * Writes the files of the template into a folder, which is made if there is none.
 *
 * @returns what to print
 * @throws SettingError that names the files which exist already; then nothing is written
 */
export function init(folder: string): string {
  const files = listFiles().map((name) => ({ from: join(template, name), to: join(folder, targetOf(name)) }));
  const existing = files.filter(({ to }) => existsSync(to));
  if (existing.length > 0) {
    throw new SettingError(existing.map(({ to }) => `${to}: exists already; nothing was written`).join("\n"), 2);
  }
  for (const { from, to } of files) {
    mkdirSync(dirname(to), { recursive: true });
    const text = readFileSync(from, "utf8");
    writeFileSync(to, to === join(folder, "package.json") ? withVersions(text) : text);
  }
  return `${files.map(({ to }) => `  ${to}\n`).join("")}\n${nextSteps(folder)}`;
}

function nextSteps(folder: string): string {
  const enter = folder === "." ? "" : `cd ${folder} && `;
  return `Next:

  ${enter}npm install
  npm run dev
  curl http://localhost:50051/v1/words/wire/reversed
`;
}

function listFiles(): string[] {
  const entries = readdirSync(template, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return files.map((file) => file.slice(template.length + 1)).sort();
}

/** npm does not pack a file of the name `.gitignore`. */
function targetOf(name: string): string {
  return name === "gitignore" ? ".gitignore" : name;
}

/** The manifest with the versions that this package is tested with. */
function withVersions(text: string): string {
  const own = require("manywire/package.json") as Manifest;
  const known: Readonly<Record<string, string>> = {
    ...own.devDependencies,
    ...own.dependencies,
    manywire: own.version,
  };
  return text.replaceAll(/"([^"]+)": "\*"/g, (_, name: string) => {
    const version = known[name] ?? "*";
    return `"${name}": "${/^\d/.test(version) ? `^${version}` : version}"`;
  });
}
