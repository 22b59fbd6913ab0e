// `manywire init` writes a project that runs: its files are compiled, tested and served.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandProcess } from "../../support/command-process.js";
import { request } from "../../support/http.js";
import { run } from "../../support/program.js";
import { root, type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;
let folder: string;

const files = [
  ".gitignore",
  "buf.gen.yaml",
  "buf.yaml",
  "client.ts",
  "dev.js",
  "package.json",
  "proto/words/v1/words.proto",
  "server.ts",
  "tsconfig.json",
  "words.test.ts",
  "words.ts",
];

beforeAll(async () => {
  stage = await stagePackage();
  // Under the checkout, so that the packages of the checkout are found.
  folder = await mkdtemp(join(root, ".cache", "init-"));
}, 60_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
  await stage[Symbol.asyncDispose]();
});

async function init(target: string) {
  await using command = new CommandProcess({ main: [stage.main], argv: ["init", target] });
  return await command.ended;
}

async function listFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const found = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return found.map((file) => file.slice(path.length + 1)).sort();
}

describe("the project", () => {
  let project: string;

  beforeAll(async () => {
    project = join(folder, "new/project");
    const { exitCode, stderr } = await init(project);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(await listFiles(project)).toEqual(files);
    await mkdir(join(project, "node_modules"));
    await symlink(stage.folder, join(project, "node_modules", "manywire"));
  });

  /** Runs one of its scripts without npm, as npm would. */
  async function script(name: string) {
    const { scripts } = JSON.parse(await readFile(join(project, "package.json"), "utf8"));
    const PATH = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
    const { code, stdout, stderr } = await run("sh", ["-ec", `cd '${project}'\n${scripts[name]}`], {
      env: { ...process.env, PATH },
      limitMs: 60_000,
    });
    expect(code, stdout + stderr).toBe(0);
    return stdout;
  }

  it("has versions for what it needs, and a script for each task", async () => {
    const { dependencies, devDependencies, scripts } = JSON.parse(
      await readFile(join(project, "package.json"), "utf8"),
    );
    const versions = Object.values({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\^\d/.test(String(version)))).toEqual([]);
    expect(Object.keys(scripts)).toEqual(["prepare", "generate", "start", "dev", "client", "test"]);
  });

  it("generates its code, which imports that of the package, compiles, and passes its test", {
    timeout: 100_000,
  }, async () => {
    await script("generate");
    expect(await listFiles(join(project, "gen"))).toEqual(["descriptors.binpb", "words/v1/words_pb.ts"]);
    const code = await readFile(join(project, "gen/words/v1/words_pb.ts"), "utf8");
    expect(code).toContain('"manywire/gen/google/api/annotations_pb.js"');
    await script("test");
  });

  it("starts, and responds to a REST request", async () => {
    await using server = new CommandProcess({
      main: [join(project, "dist/server.js")],
      env: { MANYWIRE_PORT: "0" },
    });
    const url = await server.url();
    const answer = await request(url, { method: "GET", path: "/v1/words/wire/reversed" });
    expect(answer.text).toBe('{"word":"eriw"}');
    const { text } = await request(url, { method: "GET", path: "/openapi.json" });
    expect(text).toContain("Writes a word backwards.");
  });
});

describe("a folder that has a file of the project", () => {
  it("is not changed, and the file is named", async () => {
    const target = join(folder, "taken");
    await mkdir(target);
    await writeFile(join(target, "server.ts"), "mine");
    const stderr = `error: ${join(target, "server.ts")}: exists already; nothing was written\n`;
    expect(await init(target)).toMatchObject({ exitCode: 2, stdout: "", stderr });
    expect(await listFiles(target)).toEqual(["server.ts"]);
    expect(await readFile(join(target, "server.ts"), "utf8")).toBe("mine");
  });
});
