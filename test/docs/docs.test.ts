// The README and every page of docs/ are true: their blocks are followed to the letter, their links resolve.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { readConfigFile } from "../../server/command/config-file.js";
import { codeToName, codeToStatus } from "../../server/rest/error/status.js";
import { hasProgram } from "../support/program.js";
import { root, type Stage, stagePackage } from "../support/stage.js";
import { Workspace } from "../support/workspace.js";
import { type Block, listAnchors, listBlocks, listCommands, listLinks, readMarkdown } from "./markdown.js";
import { writeOptionsPage } from "./options.js";

const docs = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
/** Pages whose blocks are followed. */
const pages = ["README.md", ...docs].map((path) => ({ path, blocks: listBlocks(readMarkdown(path)) }));
const readManifest = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const manifest = readManifest("package.json");
/** Of a checkout, and of a project that `manywire init` has written. */
const scripts = { ...manifest.scripts, ...readManifest("template/package.json").scripts };

let stage: Stage;

beforeAll(async () => {
  stage = await stagePackage();
}, 60_000);

afterAll(() => stage[Symbol.asyncDispose]());

/** What to do with a block. What a command prints is in the block after it. */
type Step =
  | { kind: "write"; name: string }
  | { kind: "run"; output: string | undefined }
  | { kind: "serve"; output: string | undefined }
  | { kind: "compile"; output: string | undefined }
  | { kind: "compile and serve" }
  | { kind: "output" }
  | { kind: "log" };

function toStep(block: Block, before: Block | undefined, next: Block | undefined): Step | undefined {
  const output = isOutputOf(block, next) ? next?.text : undefined;
  const name = /^file=(\S+)$/.exec(block.note)?.[1];
  if (name !== undefined) return { kind: "write", name };
  if (block.note === "log") return { kind: "log" };
  if (block.language === "sh")
    return {
      kind: /npm start|npm run dev|node dist|node server\.js|manywire (?:serve|proxy|--port)/.test(block.text)
        ? "serve"
        : "run",
      output,
    };
  if (block.language === "ts")
    return block.note === "serve" ? { kind: "compile and serve" } : { kind: "compile", output };
  return isOutputOf(before, block) ? { kind: "output" } : undefined;
}

/** Whether a block shows what the one before it prints. */
function isOutputOf(before: Block | undefined, block: Block | undefined): boolean {
  if (before === undefined || block === undefined || block.note !== "" || before.section !== block.section)
    return false;
  return ["sh", "ts"].includes(before.language) && ["json", "text"].includes(block.language);
}

/** Programs that only call a server. Blocks after them can be followed without them. */
const callers = new Set(["grpcurl", "curl"]);

/** The program that a script needs besides Node and what npm installs, if it is not installed. */
function missingProgram(script: string): string | undefined {
  const [program = ""] = script.split(" ", 1);
  return ["grpcurl", "curl", "openssl"].find((name) => name === program && !hasProgram(name));
}

/** The sections of all pages, with the steps of each. A drawing before the first section is not checked. */
const sections = pages.flatMap(({ path, blocks }) => {
  const steps = blocks.map((block, index) => ({ block, step: toStep(block, blocks[index - 1], blocks[index + 1]) }));
  const names = [...new Set(blocks.map(({ section }) => section))].filter((section) => section !== "");
  return names.map((name) => {
    const own = steps.filter(({ block, step }) => block.section === name && step?.kind !== "output");
    return [path, name, own] as const;
  });
});

describe.each(sections)("%s, section %j", (_, __, steps) => {
  let workspace: Workspace;
  let isBroken = false;

  beforeAll(async () => {
    workspace = await Workspace.create(stage);
    const servesItself = steps.some(({ step }) => step?.kind === "serve" || step?.kind === "compile and serve");
    if (!servesItself) await workspace.serve("npm start");
  }, 30_000);

  afterAll(() => workspace[Symbol.asyncDispose]());

  const skipWithout = (script: string, context: TestContext) => {
    const program = missingProgram(script);
    if (isBroken) context.skip("an earlier block could not be followed");
    if (program === undefined) return;
    isBroken = !callers.has(program);
    context.skip(`${program} is not on the PATH`);
  };

  async function follow({ text }: Block, step: Step): Promise<void> {
    switch (step.kind) {
      case "write":
        return workspace.write(step.name, text);
      case "serve":
        await workspace.serve(text);
        expect({ stdout: workspace.stdout.trimEnd() }).toMatchObject(expectedOutput(step));
        return;
      case "compile and serve":
        return workspace.serveTypeScript(text);
      case "run":
      case "compile": {
        const outcome = await (step.kind === "run" ? workspace.run(text) : workspace.runTypeScript(text));
        const found = { ...outcome, stdout: outcome.stdout.trimEnd() };
        expect(found, outcome.stderr).toMatchObject({ code: 0, ...expectedOutput(step) });
        return;
      }
      case "log":
        return expectLogLine(text);
    }
  }

  /** What the block after it says, if there is one. */
  const expectedOutput = ({ output }: { output: string | undefined }) =>
    output === undefined ? {} : { stdout: workspace.fill(output) };

  /** The line has the fields of a real one, in their order. Values that differ from call to call are not compared. */
  async function expectLogLine(text: string): Promise<void> {
    await workspace.run("npm run client -- --protocol grpc");
    const line = workspace.stderr.split("\n").find((line) => line.includes('SayHello"'));
    const varying = /"(time|durationMs|requestId|userAgent)":("[^"]*"|[\d.]+)/g;
    expect(line?.replaceAll(varying, '"$1"')).toBe(text.replaceAll(varying, '"$1"'));
  }

  it.for(steps.map(({ block, step }) => [`${block.line}, ${block.language}`, { block, step }] as const))(
    "is right in line %s",
    { timeout: 60_000 },
    async ([, { block, step }], context) => {
      if (step === undefined) throw new Error(`expected a block that can be followed, found "${block.language}"`);
      skipWithout(block.text, context);
      await follow(block, step);
    },
  );
});

describe("README's table of one call", () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await Workspace.create(stage);
    await workspace.serve("npm start");
  }, 30_000);

  afterAll(() => workspace[Symbol.asyncDispose]());

  it.for(listCommands(readMarkdown("README.md"), "One call, six ways"))("%s works", async (command, context) => {
    const program = missingProgram(command);
    if (program !== undefined) context.skip(`${program} is not on the PATH`);
    const { code, stdout, stderr } = await workspace.run(command);
    expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: expect.stringContaining("Hello, you!") });
  });
});

describe("docs/options.md", () => {
  // `npx vitest run test/docs -u` writes it anew.
  it("is what the settings and docstrings say", async () => {
    await expect(writeOptionsPage()).toMatchFileSnapshot(join(root, "docs/options.md"));
  });

  it("explains every option", () => {
    const rows = writeOptionsPage()
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(80);
    expect(rows.filter((row) => /\| {2}\| \S* ?\|$/.test(row))).toEqual([]);
  });
});

describe.each(["docs/proxy.md", "docs/auth.md"])("%s", (path) => {
  it("has configurations that can be read", async () => {
    const isConfiguration = ({ language, note }: Block) => language === "yaml" && note !== "file=keys.yaml";
    const configurations = listBlocks(readMarkdown(path)).filter(isConfiguration);
    expect(configurations.length).toBeGreaterThan(0);
    await using workspace = await Workspace.create(stage);
    for (const { text } of configurations) {
      await workspace.write("proxy.yaml", text);
      expect(readConfigFile("--config", workspace.pathOf("proxy.yaml")).upstreams.length).toBeGreaterThan(0);
    }
  });
});

describe("docs/errors.md", () => {
  it("has the HTTP status of every code", () => {
    const rows = [...readMarkdown("docs/errors.md").matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \|$/gm)];
    expect(rows.length).toBe(16);
    for (const [row, name = "", code, status] of rows) {
      const sameName = codeToName(Number(code)).toLowerCase().replace("cancelled", "canceled");
      expect({ name: sameName, status: codeToStatus(Number(code)) }, row).toEqual({ name, status: Number(status) });
    }
  });
});

const others = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "RELEASING.md", "docs/deploy/README.md"];
const repositoryPages = ["README.md", ...others, ...docs];

describe.each(repositoryPages)("%s", (path) => {
  const markdown = readMarkdown(path);

  it("links to what exists", () => {
    const broken = listLinks(markdown).filter((target) => {
      if (/^https?:/.test(target)) return !URL.canParse(target);
      const [file = "", anchor] = target.split("#");
      const found = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, found))) return true;
      return anchor !== undefined && !listAnchors(readMarkdown(found)).includes(`#${anchor}`);
    });
    expect(broken).toEqual([]);
  });

  it("names scripts that exist", () => {
    const names = [...markdown.matchAll(/\bnpm (?:run (\S+?)|(start|test))(?=[`\s])/g)].map(
      ([, run, own]) => run ?? own,
    );
    expect(names.filter((name) => scripts[name ?? ""] === undefined)).toEqual([]);
  });
});

it("README has at most 150 lines", () => {
  expect(readMarkdown("README.md").split("\n").length).toBeLessThanOrEqual(150);
});

it("the packages to install are those that the tests use", () => {
  const lines = pages
    .flatMap(({ blocks }) => blocks)
    .flatMap(({ text }) => text.split("\n"))
    .filter((line) => line.startsWith("npm install "));
  const names = lines.flatMap((line) => line.split(" ").slice(2)).filter((word) => !word.startsWith("-"));
  const known = { ...manifest.dependencies, ...manifest.devDependencies, manywire: "" };
  expect(names.filter((name) => !(name in known))).toEqual([]);
});
