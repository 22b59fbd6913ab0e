// What is generated is committed, and generating it again changes nothing.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";

const folders = ["gen", "test/gen"];

/** The files under the folders, by their names. */
function readAll(root: string): Record<string, string> {
  const names = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  const files = names.filter((name) => name.endsWith(".ts")).sort();
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(root, name), "utf8")]));
}

// It starts eight programs.
test("generating again makes the same files", { timeout: 60_000 }, () => {
  const output = mkdtempSync(join(tmpdir(), "manywire-generated-"));
  onTestFinished(() => rmSync(output, { recursive: true }));
  const env = { ...process.env, PATH: [join("node_modules", ".bin"), process.env.PATH].join(delimiter) };
  execFileSync(process.execPath, ["proto/generate.js", output], { env, stdio: "pipe" });
  const [found, expected] = [readAll(output), readAll(".")];
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  const different = Object.keys(expected).filter((name) => found[name] !== expected[name]);
  expect(different).toEqual([]);
});
