// A server in Python is served over every protocol: by its reflection, and without it by its proto files.
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Code, createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { createTransport } from "../../../client/index.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { compileProtos } from "../../../server/command/compile-protos.js";
import { createServer } from "../../../server/index.js";
import { failureOf } from "../../support/outcome.js";
import { root } from "../../support/stage.js";
import { grpcurl, python, stubs } from "./tools.js";

const program = join(import.meta.dirname, "python/greeter.py");

class PythonGreeter implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly address: string;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, port: string) {
    this.#child = child;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(...argv: string[]): Promise<PythonGreeter> {
    const env = { ...process.env, PYTHONPATH: stubs, PYTHONDONTWRITEBYTECODE: "1" };
    const child = spawn(python, [program, ...argv], { env, stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(child.stdout, "data");
    return new PythonGreeter(child, String(line).trim());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.stdin.end();
    await ended;
  }
}

async function startProxy(url: string, descriptorSet?: Uint8Array) {
  const server = createServer({ port: 0, routes: () => {}, upstreams: [{ url, descriptorSet }] });
  await server.listen();
  while (!server.health.isServing()) await delay(5);
  return server;
}

describe.each(["by reflection", "by its proto files"])("a server of grpcio, known %s", (how) => {
  test("responds over every protocol, in REST and in OpenAPI", async () => {
    const isReflected = how === "by reflection";
    await using greeter = await PythonGreeter.start(...(isReflected ? ["--reflection"] : []));
    const set = isReflected ? undefined : await compileProtos(join(root, "proto"), "--proto");
    await using server = await startProxy(greeter.address, set);
    for (const protocol of ["grpc", "grpc-web", "connect", "rest"] as const) {
      const transport = createTransport({ protocol, baseUrl: server.url });
      const client = createClient(Greeter, transport);
      expect((await client.sayHello({ name: "you" })).message).toBe("Hello, you!");
      const again = await client.sayHelloAgain({ name: "you" }, { timeoutMs: 60_000 });
      expect(Number(again.message.replace("Hello, you Again! ", ""))).toBeCloseTo(60, -1);
      const error = await failureOf(client.sayHello({}));
      expect([error.code, error.rawMessage]).toEqual([Code.InvalidArgument, "name: expected one, found none"]);
      expect(error.metadata.get("why")).toBe("no name");
      transport.close();
    }
    const body = '{"name":"you"}';
    const headers = { "content-type": "application/json" };
    const echo = await fetch(`${server.url}/v1/example/echo`, { method: "POST", headers, body });
    expect(await echo.json()).toEqual({ message: "Hello, you!" });
    expect(Object.keys(server.openApi().paths)).toContain("/v1/example/echo");
    const address = new URL(server.url).host;
    const argv = ["-plaintext", "-d", body, address, "hello_world.Greeter/SayHello"];
    expect(JSON.parse((await promisify(execFile)(grpcurl, argv)).stdout)).toEqual({ message: "Hello, you!" });
  });
});
