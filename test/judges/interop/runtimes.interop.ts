// Runtimes and frameworks that serve by `server.fetch`, or by `server.handler`, with the lines of docs/mounting.md.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compressionGzip, createTransport } from "../../../client/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { collect, failureOf } from "../../support/outcome.js";
import { root } from "../../support/stage.js";
import { install } from "./cache.js";
import { bundleWorker, installRuntimes, platformProgram, project } from "./runtimes/tools.js";

const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
const next = join(project, "node_modules/next/dist/bin/next");

interface Runtime {
  readonly name: string;
  /** What the docs say of it. */
  readonly line: string;
  readonly prepare?: () => Promise<void>;
  /** Whether it has no files of the package, and so no pages. */
  readonly isBundle?: boolean;
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
      ...["run", "--no-prompt", "--allow-net", "--allow-read=node_modules/manywire"],
      ...["--node-modules-dir=manual", "--no-lock", "deno.js"],
    ],
  },
  {
    name: "Cloudflare Workers",
    line: "`export default { fetch: server.fetch }`",
    prepare: bundleWorker,
    isBundle: true,
    command: () => [platformProgram("@cloudflare", "bin/workerd"), "serve", "workerd.capnp", "--control-fd=1"],
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

const formats = [
  ["connect", true],
  ["connect", false],
  ["rest", false],
] as const;

beforeAll(installRuntimes, 600_000);

describe.each(runtimes.map((runtime) => [runtime.name, runtime] as const))("%s", (name, runtime) => {
  const { line, prepare, isBundle = false, command } = runtime;
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
        const missing = await failureOf(client.unary({}));
        expect([missing.code, missing.rawMessage]).toEqual([Code.NotFound, "no text"]);
        const broken = await failureOf(client.unary({ text: "broken" }));
        expect([broken.code, broken.rawMessage]).toEqual([Code.Internal, "internal error"]);
      } finally {
        transport.close();
      }
    },
  );

  // Code is made for types of which there have been 64 messages, where the runtime makes any.
  test.each(formats)("serves many calls of %s, in binary: %s, with compression", async (protocol, useBinaryFormat) => {
    const connection = { baseUrl: `${url}/api`, httpVersion: "1.1", sendCompression: compressionGzip } as const;
    const transport = createTransport({ protocol, useBinaryFormat, httpRules, ...connection });
    try {
      const client = createClient(TestService, transport);
      const text = "ä€".repeat(500);
      const data = Uint8Array.from({ length: 1000 }, (_, index) => index);
      for (let count = 0; count < 200; count++)
        expect(await client.unary({ text, data })).toMatchObject({ text, data });
    } finally {
      transport.close();
    }
  });

  test("serves probes, the document and pages, and leaves other paths", async () => {
    expect(await (await fetch(`${url}/api/healthz`)).json()).toEqual({ status: "SERVING" });
    expect((await fetch(`${url}/api/openapi.json`)).status).toBe(200);
    expect((await fetch(`${url}/api/docs`)).status).toBe(isBundle ? 404 : 200);
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
    // workerd writes `{"event":"listen","socket":"http","port":8080}`.
    const port = /(?:http:\/\/(?:localhost|127\.0\.0\.1):|"port":)(\d+)/.exec(output)?.[1];
    if (port !== undefined) return `http://localhost:${port}`;
    await Promise.race([once(child.stdout ?? child, "data"), ended]);
  }
}
