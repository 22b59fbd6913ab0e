// Servers of others are served over every protocol: by their reflection, and without it by their proto files.
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary, fromJson, type Message, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { Server as GrpcJsServer, ServerCredentials } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { createServer as createNiceServer } from "nice-grpc";
import { ServerReflection, ServerReflectionService } from "nice-grpc-server-reflection";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTransport } from "../../../client/index.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { compileProtos } from "../../../server/command/compile-protos.js";
import { createServer } from "../../../server/index.js";
import { failureOf } from "../../support/outcome.js";
import { root } from "../../support/stage.js";
import { buildJava, buildRust, wantsAll } from "./compiled-programs.js";
import { reflected } from "./go-programs.js";
import { grpcurl, importPaths, python, stubs } from "./tools.js";

const programs = join(import.meta.dirname, "python");

/** A program that prints its address or its port, and ends with its input. */
class Program implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly address: string;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, address: string) {
    this.#child = child;
    this.address = address;
  }

  static async start(command: string, ...argv: string[]): Promise<Program> {
    const env = { ...process.env, PYTHONPATH: stubs, PYTHONDONTWRITEBYTECODE: "1" };
    const child = spawn(command, argv, { env, stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(child.stdout, "data");
    return new Program(
      child,
      String(line)
        .trim()
        .replace(/^(?=\d+$)/, "127.0.0.1:"),
    );
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
    await using greeter = await Program.start(
      python,
      join(programs, "greeter.py"),
      ...(isReflected ? ["--reflection"] : []),
    );
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

/** JSON of `rich.Rich`, all of which protobuf-es reads and writes. */
const richJson = {
  snakeCase2Name: "a",
  "other-name": "b",
  big: "9007199254740993",
  data: "AP8=",
  ratio: 0.1,
  color: "COLOR_RED",
  colors: ["COLOR_RED", "COLOR_UNSPECIFIED", 7],
  byName: { "": {}, a: { text: "in a map" } },
  byNumber: { "-1": "COLOR_RED" },
  maybe: false,
  base: {
    name: "",
    numbers: [1, -1],
    kind: "KIND_A",
    entry: [{ key: "k" }],
    "[rich.legacy.note]": "extended",
    "[rich.legacy.Base.inner]": { name: "inner" },
    "[rich.legacy.kinds]": ["KIND_B"],
  },
  any: { "@type": "type.googleapis.com/rich.edition.Modern", explicit: "", closed: "CLOSED_TWO" },
  at: "2020-02-03T04:05:06.789Z",
  lasting: "1.500s",
  mask: "snakeCase2Name,byName",
  struct: { a: [1, null, "x", { b: true }] },
  wrapped: "7",
  modern: { implicit: "i", explicit: "", expanded: [1, 2], delimited: { explicit: "d" }, closed: "CLOSED_ONE" },
  nested: { OddName: "n" },
};

/** A server that returns what it gets, and has the schema of a descriptor set. */
interface RichServer extends AsyncDisposable {
  readonly address: string;
}

/** proto-loader makes proto3 of everything, without JSON names and options, so that its reflection cannot say what these are. */
const lostByProtoLoader = ["base", "modern", "any", "other-name"];

const richServers: Record<string, (path: string, set: Uint8Array) => Promise<RichServer>> = {
  "grpc-go by v1": (path) => Program.start(reflected, path, "v1"),
  "grpc-go by v1alpha": (path) => Program.start(reflected, path, "v1alpha"),
  "connect-go": (path) => Program.start(reflected, path, "connect"),
  grpcio: (path) => Program.start(python, join(programs, "reflected.py"), path),
  "@grpc/reflection": (_, set) => startGrpcJs(set),
  "nice-grpc": (_, set) => startNiceGrpc(set),
  manywire: (_, set) => startOwn(set),
};

/** Those that take long to build. */
const compiledServers: typeof richServers = {
  "grpc-java": (path) => buildJava().then(([program = "", ...argv]) => Program.start(program, ...argv, path)),
  tonic: (path) => buildRust().then(([program = "", ...argv]) => Program.start(program, ...argv, path)),
};
const buildMs = 600_000;

async function startGrpcJs(set: Uint8Array): Promise<RichServer> {
  const definition = loadFileDescriptorSetFromBuffer(Buffer.from(set));
  const server = new GrpcJsServer();
  new ReflectionService(definition).addToServer(server);
  const same = <T>(value: T): T => value;
  const methods = Object.values(definition["rich.Echo"] ?? {}).map((method) => ({
    ...method,
    requestDeserialize: same<Buffer>,
    responseSerialize: same<Buffer>,
  }));
  server.addService(Object.fromEntries(methods.map((method) => [method.originalName ?? "", method])) as never, {
    echo: (call: { request: Buffer }, respond: (error: null, reply: Buffer) => void) => respond(null, call.request),
  });
  const port = await promisify(server.bindAsync.bind(server))("127.0.0.1:0", ServerCredentials.createInsecure());
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

async function startNiceGrpc(set: Uint8Array): Promise<RichServer> {
  const same = <T>(value: T): T => value;
  const echo = {
    path: "/rich.Echo/Echo",
    requestStream: false,
    responseStream: false,
    requestDeserialize: same<Uint8Array>,
    requestSerialize: Buffer.from,
    responseDeserialize: same<Uint8Array>,
    responseSerialize: Buffer.from,
    options: {},
  } as const;
  const server = createNiceServer();
  server.add({ echo }, { echo: async (request: Uint8Array) => request });
  server.add(ServerReflectionService, ServerReflection(Buffer.from(set), ["rich.Echo"]));
  const port = await server.listen("127.0.0.1:0");
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

async function startOwn(set: Uint8Array): Promise<RichServer> {
  const echo = richTypes(set).getService("rich.Echo");
  const method = echo?.methods[0];
  if (method === undefined) throw new Error("expected rich.Echo");
  const server = createServer({ port: 0, routes: (router) => router.rpc(method, ((one: Message) => one) as never) });
  await server.listen();
  return { address: server.url, [Symbol.asyncDispose]: () => server.close() };
}

function richTypes(set: Uint8Array) {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
}

describe("a rich schema", () => {
  let folder: string;
  let path: string;
  let set: Uint8Array;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "manywire-rich-"));
    path = join(folder, "rich.binpb");
    const folders = ["test/judges/interop/rich", ...importPaths].map((one) => `--proto_path=${join(root, one)}`);
    const argv = ["-m", "grpc_tools.protoc", ...folders, "--include_imports", `--descriptor_set_out=${path}`];
    await promisify(execFile)(python, [...argv, "rich/rich.proto"]);
    set = new Uint8Array(readFileSync(path));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const servers = { ...richServers, ...(wantsAll && compiledServers) };
  test.each(Object.entries(servers))(
    "of %s has the JSON that protobuf-es has",
    async (name, start) => {
      const registry = richTypes(set);
      const Rich = registry.getMessage("rich.Rich");
      if (Rich === undefined) throw new Error("expected rich.Rich");
      const lost = name === "@grpc/reflection" ? lostByProtoLoader : [];
      const json = Object.fromEntries(Object.entries(richJson).filter(([key]) => !lost.includes(key)));
      const expected = toJson(Rich, fromJson(Rich, json, { registry }), { registry });
      await using upstream = await start(path, set);
      await using proxy = await startProxy(upstream.address);
      for (const target of lost.length > 0 ? ["/rich.Echo/Echo"] : ["/rich.Echo/Echo", "/v1/rich"]) {
        const headers = { "content-type": "application/json" };
        const response = await fetch(proxy.url + target, { method: "POST", headers, body: JSON.stringify(json) });
        expect([target, await response.json()]).toEqual([target, expected]);
      }
      // Defaults and enums of proto2 that are said to be proto3 are more than grpcurl accepts.
      if (lost.length > 0) return;
      const argv = ["-plaintext", new URL(proxy.url).host, "describe", "rich.Rich"];
      expect((await promisify(execFile)(grpcurl, argv)).stdout).toContain('json_name = "other-name"');
    },
    buildMs,
  );
});
