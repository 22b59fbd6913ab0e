// The Dockerfile of docs/deploy is valid to BuildKit, and what it runs exists and runs as in a container.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import manifest from "../../../../package.json" with { type: "json" };
import { isTool, parseCommandLine } from "../../../../server/command/command-line.js";
import { readConfig } from "../../../../server/command/config.js";
import { environmentName, settings } from "../../../../server/command/settings.js";
import { run } from "../../../support/program.js";
import { stagePackage } from "../../../support/stage.js";
import { root } from "../cache.js";
import { missingForNetworks, Network } from "./networks.js";
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

const missing = process.env.CI === undefined ? missingForNetworks() : undefined;
const note = missing === undefined ? "" : ` (skipped: ${missing})`;

const address = "192.0.2.1";
const service = `
import { Greeter } from "manywire/gen/hello_world_pb.js";

export default (router) =>
  router.service(Greeter, { sayHello: ({ name }) => ({ message: name + ", from process " + process.pid }) });
`;

/** Like a container: a file system to read only, and the command as process 1. */
const asContainer = `
mount -o remount,bind,ro /
mount --bind . . && cd "$PWD" && mount -o remount,bind,ro .
if touch written 2>/dev/null; then echo "the file system can be written to" >&2; exit 9; fi
exec "$@"`;

describe.skipIf(missing !== undefined)(`the command of docs/deploy/Dockerfile${note}`, () => {
  it("serves as process 1 on a read-only file system, says that it is healthy, and drains by SIGTERM", async () => {
    await using built = await stagePackage();
    const folder = await mkdtemp(join(root, ".cache", "image-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, "node_modules"));
    await symlink(built.folder, join(folder, "node_modules/manywire"));
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    await writeFile(join(folder, "service.js"), service);
    using network = await Network.open([address]);
    const [proxy, own] = [stageOf("proxy"), stageOf("")];
    const inContainer = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
    const line = [...find(proxy, "ENTRYPOINT").CmdLine, ...find(own, "CMD").CmdLine];
    const [command = "", ...args] = [...network.on(address), ...inContainer, "sh", "-ec", asContainer, "sh", ...line];
    const env = Object.fromEntries(find(proxy, "ENV").Env.map(({ Key, Value }) => [Key, Value]));
    const child = spawn(command, args, {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exit = once(child, "exit");
    onTestFinished(() => void child.kill("SIGKILL"));
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    await expect.poll(() => log, { timeout: 10_000 }).toContain('"msg":"listening"');
    const runBeside = ([first = "", ...words]: readonly string[]) => run(first, words, { cwd: folder });
    const [, ...check] = find(proxy, "HEALTHCHECK").Health.Test;
    expect(await runBeside([...network.on(address), ...check])).toEqual({ code: 0, stdout: "SERVING\n", stderr: "" });
    const call = [...program, "call", "localhost:8080", "hello_world.Greeter/SayHello", "--data", '{"name":"you"}'];
    expect((await runBeside([...network.on(address), ...call])).stdout).toContain("you, from process 1");
    const [pid = ""] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).split(" ");
    process.kill(Number(pid), "SIGTERM");
    expect(await exit).toEqual([0, null]);
    expect(log).toContain('"msg":"drained"');
  });
});
