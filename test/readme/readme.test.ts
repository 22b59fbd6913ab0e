import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { defaultText, environmentName, type Setting, settingGroups } from "../../server/command/settings.js";
import { hasProgram } from "../foreign/program.js";
import { root, type Stage, stagePackage } from "../main/stage.js";
import { type Block, listAnchors, listBlocks, listLinks, readMarkdown } from "./markdown.js";
import { Workspace } from "./workspace.js";

const readme = readMarkdown("README.md");
const blocks = listBlocks(readme);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

let stage: Stage;

beforeAll(async () => {
  stage = await stagePackage();
}, 60_000);

afterAll(() => stage[Symbol.asyncDispose]());

/** What is to be done with a block. What a command prints stands in the block behind it. */
type Step =
  | { kind: "write"; name: string }
  | { kind: "run"; output: string | undefined }
  | { kind: "serve"; output: string | undefined }
  | { kind: "compile"; output: string | undefined }
  | { kind: "output" }
  | { kind: "log" };

function toStep(block: Block, index: number): Step | undefined {
  const next = blocks[index + 1];
  const output = isOutputOf(block, next) ? next?.text : undefined;
  const name = /^file=(\S+)$/.exec(block.note)?.[1];
  if (name !== undefined) return { kind: "write", name };
  if (block.note === "log") return { kind: "log" };
  if (block.language === "sh") return { kind: /npm start|node dist/.test(block.text) ? "serve" : "run", output };
  if (block.language === "ts") return { kind: "compile", output };
  return isOutputOf(blocks[index - 1], block) ? { kind: "output" } : undefined;
}

/** Whether a block shows what comes of the one before. */
function isOutputOf(before: Block | undefined, block: Block | undefined): boolean {
  if (before === undefined || block === undefined || block.note !== "" || before.section !== block.section)
    return false;
  return ["sh", "ts"].includes(before.language) && ["json", "text"].includes(block.language);
}

/** Programs that only call a server; what comes after a block without them can be done all the same. */
const callers = new Set(["grpcurl", "curl"]);

/** The program that a script needs besides Node and what npm installs, if it is not there. */
function missingProgram(script: string): string | undefined {
  const [program = ""] = script.split(" ", 1);
  return ["grpcurl", "curl", "openssl"].find((name) => name === program && !hasProgram(name));
}

/** The drawing at the top is no text to check. */
const checked = blocks.filter(({ section }) => section !== "");
const steps = checked.map((block) => ({ block, step: toStep(block, blocks.indexOf(block)) }));
const sections = [...new Set(checked.map(({ section }) => section))].map(
  (section) =>
    [section, steps.filter(({ block, step }) => block.section === section && step?.kind !== "output")] as const,
);

describe.each(sections)("the section %j", (_, steps) => {
  let workspace: Workspace;
  let isBroken = false;

  beforeAll(async () => {
    workspace = await Workspace.create(stage);
    if (!steps.some(({ step }) => step?.kind === "serve")) await workspace.serve("npm start");
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

  /** What the block behind it says, if there is one. */
  const expectedOutput = ({ output }: { output: string | undefined }) =>
    output === undefined ? {} : { stdout: workspace.fill(output) };

  /** The line has the fields of a real one, in their order, but for what differs from call to call. */
  async function expectLogLine(text: string): Promise<void> {
    await workspace.run("npm run client -- --protocol grpc");
    const line = workspace.stderr.split("\n").find((line) => line.includes('SayHello"'));
    const varying = /"(time|durationMs)":("[^"]*"|[\d.]+)/g;
    expect(line?.replaceAll(varying, '"$1"')).toBe(text.replaceAll(varying, '"$1"'));
  }

  it.for(steps.map(({ block, step }) => [`${block.line}, ${block.language}`, { block, step }] as const))(
    "is right in line %s",
    { timeout: 60_000 },
    async ([, { block, step }], context) => {
      if (step === undefined) throw new Error(`nobody knows what to do with the block "${block.language}"`);
      skipWithout(block.text, context);
      await follow(block, step);
    },
  );
});

describe("the table of settings", () => {
  const code = (text: string) => `\`${text}\``;
  const row = (setting: Setting) => {
    const { flag, kind, option, text } = setting;
    const flags = kind.placeholder === undefined ? flag : `${flag} ${kind.placeholder}`;
    const otherwise = defaultText(setting);
    const cells = [
      `${code(flags)}<br>${code(environmentName(flag))}`,
      option === undefined ? "" : code(option),
      otherwise === "" ? "" : code(otherwise),
      text,
    ];
    return `| ${cells.join(" | ")} |`;
  };
  const table = [
    "| flag, variable | option | default | meaning |",
    "|---|---|---|---|",
    ...settingGroups.flatMap(({ title, settings }) => [`| **${title}** | | | |`, ...settings.map(row)]),
  ].join("\n");

  it("is the one that the command has", () => {
    expect(/^\| flag, variable [\s\S]*?(?=\n\n)/m.exec(readme)?.[0]).toBe(table);
  });
});

describe.each(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"])("%s", (path) => {
  const markdown = readMarkdown(path);

  it("links to what exists", () => {
    const anchors = listAnchors(markdown);
    const broken = listLinks(markdown).filter((target) => {
      if (target.startsWith("https://")) return !URL.canParse(target);
      return target.startsWith("#") ? !anchors.includes(target) : !existsSync(join(root, target));
    });
    expect(broken).toEqual([]);
  });

  it("names scripts that exist", () => {
    const names = [...markdown.matchAll(/\bnpm (?:run (\S+?)|(start|test))(?=[`\s])/g)].map(
      ([, run, own]) => run ?? own,
    );
    expect(names.filter((name) => manifest.scripts[name ?? ""] === undefined)).toEqual([]);
  });
});

it("the packages to install are those that the tests use", () => {
  const lines = blocks.flatMap(({ text }) => text.split("\n")).filter((line) => line.startsWith("npm install "));
  const names = lines.flatMap((line) => line.split(" ").slice(2)).filter((word) => !word.startsWith("-"));
  const known = { ...manifest.dependencies, ...manifest.devDependencies, manywire: "" };
  expect(names.filter((name) => !(name in known))).toEqual([]);
});
