import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type ServerOptions, startServer, type TestServer } from "./server.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
let build = "";

/** The client as it is published, under the repository so that it finds its packages and their versions. */
beforeAll(async () => {
  await mkdir(join(root, ".cache"), { recursive: true });
  build = await mkdtemp(join(root, ".cache", "client-"));
  const tsconfig = {
    extends: "../../tsconfig.build.json",
    compilerOptions: { rootDir: "../..", outDir: "." },
    include: ["../../client", "../../gen"],
  };
  await writeFile(join(build, "tsconfig.json"), JSON.stringify(tsconfig));
  await promisify(execFile)(join(root, "node_modules", ".bin", "tsc"), ["-p", build]);
}, 60_000);

afterAll(() => rm(build, { recursive: true }));

interface Outcome {
  exitCode: unknown;
  stdout: string;
  stderr: string;
}

/** Ends the process after 10 s, with an exit code of null, if it does not end by itself. */
function runNode(...argv: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, argv, { timeout: 10_000 }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

const runClient = (...argv: string[]) => runNode(join(build, "client", "main.js"), ...argv);

async function start(options: ServerOptions): Promise<TestServer> {
  const server = await startServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

describe("the process", () => {
  it.each([
    ["connect", "1.1"],
    ["connect", "2"],
    ["grpc", "2"],
    ["grpc-web", "1.1"],
    ["grpc-web", "2"],
  ] as const)("calls over %s on HTTP/%s, prints the responses and ends", async (protocol, httpVersion) => {
    const { url } = await start({ httpVersion });
    expect(await runClient("--url", url, "--protocol", protocol, "--http", httpVersion)).toEqual({
      exitCode: 0,
      stdout: "SayHello received: Hello, you!\nSayHelloAgain received: Hello, you Again!\n",
      stderr: "",
    });
  });

  it("ends with 1 and one line when the server does not speak its protocol", async () => {
    const { url } = await start({ httpVersion: "1.1" });
    const stderr = `error: ${url}: [internal] the server does not speak HTTP/2\n`;
    expect(await runClient("--url", url, "--protocol", "grpc")).toEqual({ exitCode: 1, stdout: "", stderr });
  });

  it("ends with 2 and one line for a flag that it does not know", async () => {
    const stderr = "error: unknown option '--bogus'\n";
    expect(await runClient("--bogus")).toEqual({ exitCode: 2, stdout: "", stderr });
  });

  it("prints no error if the reader of its output leaves early", async () => {
    const { url } = await start({ httpVersion: "2" });
    const child = spawn(process.execPath, [join(build, "client", "main.js"), "--url", url], { timeout: 10_000 });
    child.stdout.destroy();
    const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  it.each(["1.1", "2"] as const)("is not kept alive by an idle transport over HTTP/%s", async (httpVersion) => {
    const server = await start({ httpVersion });
    const script = `
      import { createClient, createTransport } from ${JSON.stringify(join(build, "client", "index.js"))};
      import { Greeter } from ${JSON.stringify(join(build, "gen", "hello_world_pb.js"))};
      const options = { protocol: "connect", httpVersion: "${httpVersion}", baseUrl: "${server.url}" };
      await createClient(Greeter, createTransport(options)).sayHello({ name: "you" });
    `;
    const outcome = await runNode("--input-type=module", "--eval", script);
    expect(outcome).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(server.requests.length).toBe(1);
  });
});
