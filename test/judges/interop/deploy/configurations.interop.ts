// The configurations of docs/deploy for Envoy and systemd are valid to these, and fit the command.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../../../server/command/command-line.js";
import { readConfig } from "../../../../server/command/config.js";
import { environmentName, settings } from "../../../../server/command/settings.js";
import { hasProgram, outputOf, run } from "../../../support/program.js";
import { root } from "../cache.js";
import { python } from "../tools.js";
import { haproxy, serverAddresses } from "./stage.js";

const deploy = join(root, "docs/deploy");
const known = new Set(settings.map(({ flag }) => environmentName(flag)));

/** Resolves to what `use` does with a changed copy of a file. */
async function withCopy<Result>(
  path: string,
  change: (text: string) => string,
  use: (copy: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "manywire-deploy-"));
  try {
    const copy = join(folder, path.split("/").at(-1) ?? "");
    await cp(join(deploy, path), copy);
    await writeFile(copy, change(await readFile(copy, "utf8")));
    return await use(copy);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("docs/deploy/envoy.yaml", () => {
  const read = (path: string) => run(python, [join(root, "test/judges/interop/python/envoy_config.py"), path]);

  it("has only fields that Envoy has, and the servers of the other configurations", async () => {
    const { code, stdout, stderr } = await read(join(deploy, "envoy.yaml"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [cluster] = JSON.parse(stdout).staticResources.clusters;
    const found = cluster.loadAssignment.endpoints[0].lbEndpoints.map(
      (each: { endpoint: { address: { socketAddress: object } } }) => each.endpoint.address.socketAddress,
    );
    expect(found).toEqual(serverAddresses.map((address) => ({ address, portValue: 8080 })));
  });

  it("with a field that Envoy does not have is an error", async () => {
    const { code, stderr } = await withCopy("envoy.yaml", (text) => text.replace("stat_prefix", "stat_prefex"), read);
    expect(code).toBe(1);
    expect(stderr).toContain('has no field named "stat_prefex"');
  });
});

const hasSystemd = hasProgram("systemd-analyze");

describe("docs/deploy/systemd", () => {
  const textOf = () => readFile(join(deploy, "systemd/greeter.service"), "utf8");
  /** The values of a key, in order. */
  const valuesOf = (text: string, key: string) =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);

  it.skipIf(!hasSystemd)(
    `has a service and a socket that are valid to systemd${hasSystemd ? "" : " (skipped: systemd-analyze is not there)"}`,
    async () => {
      // The service of the page is started by a Node that need not be at this path here.
      const use = async (path: string) => {
        const socket = join(dirname(path), "greeter.socket");
        await cp(join(deploy, "systemd/greeter.socket"), socket);
        return await outputOf("systemd-analyze", ["verify", "--man=no", path, socket]);
      };
      const change = (text: string) => text.replace("/usr/bin/node", process.execPath);
      expect(await withCopy("systemd/greeter.service", change, use)).toBe("");
    },
  );

  it("gives a drain the time that it may take, and sets what the command has", async () => {
    const text = await textOf();
    const environment = Object.fromEntries(valuesOf(text, "Environment").map((each) => each.split("=")));
    expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual(["NODE_ENV"]);
    const [node, program, ...args] = valuesOf(text, "ExecStart")[0]?.split(" ") ?? [];
    expect([node, program]).toEqual(["/usr/bin/node", "node_modules/manywire/dist/server/main.js"]);
    expect(parseCommandLine(args)).toMatchObject({ kind: "serve", module: "./service.js" });
    const { drainDelayMs = 0, drainTimeoutMs = 0 } = readConfig(new Map(), environment).options;
    expect(Number(valuesOf(text, "TimeoutStopSec")[0])).toBeGreaterThan((drainDelayMs + drainTimeoutMs) / 1000 + 1);
    expect(drainDelayMs).toBeGreaterThan(haproxy.drainDelayMs);
  });
});
