// Runtimes and frameworks that serve by `server.fetch`, or by `server.handler`, with the lines of docs/mounting.md.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTransport } from "../../../client/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { collect, failureOf } from "../../support/outcome.js";
import { root } from "../../support/stage.js";
import { install } from "./cache.js";
import { installRuntimes, platformProgram, project } from "./runtimes/tools.js";

const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
const next = join(project, "node_modules/next/dist/bin/next");

interface Runtime {
  readonly name: string;
  /** What the docs say of it. */
  readonly line: string;
  readonly prepare?: () => Promise<void>;
  command(): readonly string[];
}

const runtimes: readonly Runtime[] = [
  {
    name: "Bun",
    line: "`Bun.serve({ fetch: server.fetch })`",
    command: () => [platformProgram("@oven", "bin/bun"), "bun.js"],
  },
  {
    name: "Deno",
    line: "`Deno.serve(server.fetch)`",
    command: () => [
      platformProgram("@deno", "deno"),
      ...["run", "--allow-all", "--node-modules-dir=manual", "--no-lock", "deno.js"],
    ],
  },
  {
    name: "Next",
    line: "`export const GET = server.fetch, POST = server.fetch`",
    prepare: () => install(process.execPath, [next, "build"], { cwd: project, env: environment }),
    command: () => [process.execPath, next, "start", "--port", "0"],
  },
  { name: "Nest", line: "`app.use(server.handler)`", command: () => [process.execPath, "nest.js"] },
];

const rules = ["Unary", "ServerStream"] as const;
const httpRules = {
  rules: [
    { selector: `${TestService.typeName}.${rules[0]}`, post: "/v1/unary", body: "*" },
    { selector: `${TestService.typeName}.${rules[1]}`, get: "/v1/down/{text}" },
  ],
};

beforeAll(installRuntimes, 600_000);

describe.each(runtimes.map((runtime) => [runtime.name, runtime] as const))("%s", (name, { line, prepare, command }) => {
  let child: ChildProcess | undefined;
  let url = "";

  beforeAll(async () => {
    await prepare?.();
    const [program = "", ...args] = command();
    child = spawn(program, args, { cwd: project, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    url = await addressOf(child);
  }, 300_000);

  afterAll(async () => {
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "close");
    child.kill();
    await ended;
  });

  test("is in the docs with the line that is run here", () => {
    expect(readFileSync(join(root, "docs/mounting.md"), "utf8")).toContain(line);
  });

  test.each(["connect", "grpc-web", "rest"] as const)(
    "serves unary calls, streams and errors of %s",
    async (protocol) => {
      const transport = createTransport({ protocol, baseUrl: `${url}/api`, httpVersion: "1.1", httpRules });
      try {
        const client = createClient(TestService, transport);
        expect(await client.unary({ text: "ä" })).toMatchObject({ text: "ä" });
        const replies = await collect(client.serverStream({ text: "a", count: 3 }));
        expect(replies.map(({ index }) => index)).toEqual([0, 1, 2]);
        const { code, rawMessage } = await failureOf(client.unary({}));
        expect([code, rawMessage]).toEqual([Code.NotFound, "no text"]);
      } finally {
        transport.close();
      }
    },
  );

  test("serves probes and the document, and leaves other paths", async () => {
    expect(await (await fetch(`${url}/api/healthz`)).json()).toEqual({ status: "SERVING" });
    expect((await fetch(`${url}/api/openapi.json`)).status).toBe(200);
    const own = await fetch(`${url}/own`);
    expect([own.status, name === "Nest" ? await own.text() : ""]).toEqual(
      name === "Nest" ? [200, "from Nest"] : [404, ""],
    );
  });
});

/** Where a program says that it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(child, "close").then(() => Promise.reject(new Error(`ended before it listened:\n${output}`)));
  ended.catch(() => {});
  for (;;) {
    const address = /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(output)?.[0];
    if (address !== undefined) return address;
    await Promise.race([once(child.stdout ?? child, "data"), ended]);
  }
}
