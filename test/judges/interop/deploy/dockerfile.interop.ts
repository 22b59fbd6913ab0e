// The Dockerfile of docs/deploy is one to BuildKit, and what it runs exists.
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import manifest from "../../../../package.json" with { type: "json" };
import { isTool, parseCommandLine } from "../../../../server/command/command-line.js";
import { readConfig } from "../../../../server/command/config.js";
import { environmentName, settings } from "../../../../server/command/settings.js";
import { root } from "../cache.js";
import { buildReader, readDockerfile, type Stage } from "./reader.js";

const program = ["node", `node_modules/manywire/${manifest.bin.manywire}`];

interface Commands {
  ENTRYPOINT: { CmdLine: string[] };
  CMD: { CmdLine: string[] };
  ENV: { Env: { Key: string; Value: string }[] };
  EXPOSE: { Ports: string[] };
  USER: { User: string };
  HEALTHCHECK: { Health: { Test: string[]; Interval: number; Timeout: number } };
}

/** The last command of a name. */
function find<Name extends keyof Commands>({ commands }: Stage, name: Name): Commands[Name] {
  const found = commands.findLast((each) => each.name === name);
  if (found === undefined) throw new Error(`expected ${name}, found ${commands.map((each) => each.name)}`);
  return found.command as Commands[Name];
}

let stages: Stage[];

beforeAll(async () => {
  await buildReader();
  stages = await readDockerfile(join(root, "docs/deploy/Dockerfile"));
}, 10 * 60_000);

const stageOf = (name: string): Stage => {
  const found = stages.find((stage) => stage.name === name);
  if (found === undefined) throw new Error(`expected the stage ${name}, found ${stages.map((stage) => stage.name)}`);
  return found;
};

describe("docs/deploy/Dockerfile", () => {
  it("has a stage for packages, one for the proxy, and the service's, which is the last", () => {
    expect(stages.map(({ name, base }) => [name, base])).toEqual([
      ["packages", "node:24-slim"],
      ["proxy", "node:24-slim"],
      ["", "proxy"],
    ]);
  });

  it("starts the command", () => {
    const [proxy, service] = [stageOf("proxy"), stageOf("")];
    expect(find(proxy, "ENTRYPOINT").CmdLine).toEqual(program);
    expect(parseCommandLine(find(proxy, "CMD").CmdLine)).toMatchObject({ kind: "proxy" });
    expect(parseCommandLine(find(service, "CMD").CmdLine)).toMatchObject({ kind: "serve", module: "./service.js" });
  });

  it("listens on the port that it exposes, and checks the health of that", () => {
    const proxy = stageOf("proxy");
    const env = Object.fromEntries(find(proxy, "ENV").Env.map(({ Key, Value }) => [Key, Value]));
    const known = settings.map(({ flag }) => environmentName(flag));
    expect([...known, "NODE_ENV", "PORT"]).toEqual(expect.arrayContaining(Object.keys(env)));
    const { host, port } = readConfig(new Map(), env).options;
    expect({ host, ports: [String(port)] }).toEqual({ host: "::", ports: find(proxy, "EXPOSE").Ports });
    const { Test, Interval, Timeout } = find(proxy, "HEALTHCHECK").Health;
    expect(Test).toEqual(["CMD", ...program, "health", `localhost:${port}`, "--timeout", "3s"]);
    expect(isTool(Test[3])).toBe(true);
    expect(Timeout).toBeLessThan(Interval);
  });

  it("does not run as root", () => {
    expect(find(stageOf("proxy"), "USER").User).toBe("1000:1000");
  });
});
