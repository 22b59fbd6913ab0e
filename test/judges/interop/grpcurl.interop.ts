// grpcurl (grpc-go) calls us.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { certificateFiles, startTargetForTest, type Target, targets } from "../../support/foreign-target.js";
import { outputOf, run } from "../../support/program.js";
import { root } from "./cache.js";
import { grpcurl, importPaths, protoFiles } from "./tools.js";

const testService = "manywire.test.v1.TestService";
const you = '{"name":"you"}';
const hello = { message: "Hello, you!" };

const services = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "hello_world.Greeter",
  testService,
];

function security({ url }: Target): string[] {
  return url.startsWith("https:") ? ["-cacert", certificateFiles.authority] : ["-plaintext"];
}

/** The arguments of a call: the method's service is the test service, unless it is named. */
function call(target: Target, method: string, data: string, ...flags: string[]): string[] {
  const symbol = method.includes("/") ? method : `${testService}/${method}`;
  return [...security(target), ...flags, "-d", data, target.authority, symbol];
}

/** Documents of JSON in a row, as grpcurl prints them. */
function parseDocuments(text: string): unknown[] {
  return JSON.parse(`[${text.replaceAll(/\}\s*\{/g, "},{")}]`);
}

function fromProtoFiles(files: readonly string[]): string[] {
  const paths = importPaths.flatMap((path) => ["-import-path", join(root, path)]);
  return [...paths, ...files.flatMap((file) => ["-proto", file])];
}

/** Ways to tell grpcurl the schema. */
const schemas: [string, (folder: string, target: Target) => Promise<string[]>][] = [
  ["reflection", async () => []],
  ["-proto", async () => fromProtoFiles(protoFiles)],
  [
    "a -protoset that it wrote itself",
    async (folder, target) => {
      const file = join(folder, "services.protoset");
      const described = ["hello_world.Greeter", testService].map((name) =>
        outputOf(grpcurl, [
          ...security(target),
          "-protoset-out",
          `${file}.${name}`,
          target.authority,
          "describe",
          name,
        ]),
      );
      await Promise.all(described);
      return ["hello_world.Greeter", testService].flatMap((name) => ["-protoset", `${file}.${name}`]);
    },
  ],
];

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "manywire-interop-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe.each(targets)("grpcurl, %s", (_, options) => {
  it("lists services and methods", async () => {
    const target = await startTargetForTest(options);
    const ask = (...what: string[]) => outputOf(grpcurl, [...security(target), target.authority, ...what]);
    expect((await ask("list")).trim().split("\n")).toEqual(services);
    expect((await ask("list", "hello_world.Greeter")).trim().split("\n")).toEqual([
      "hello_world.Greeter.SayHello",
      "hello_world.Greeter.SayHelloAgain",
    ]);
  });

  it("describes a service with its annotations, a method, a message and an enum", async () => {
    const target = await startTargetForTest(options);
    const describeSymbol = (symbol: string) =>
      outputOf(grpcurl, [...security(target), target.authority, "describe", symbol]);
    const greeter = await describeSymbol("hello_world.Greeter");
    expect(greeter).toContain('option (.google.api.http) = { post: "/v1/example/echo", body: "*" };');
    expect(greeter).toContain("option idempotency_level = NO_SIDE_EFFECTS;");
    expect(await describeSymbol("hello_world.Greeter.SayHello")).toContain("hello_world.Greeter.SayHello is a method");
    expect(await describeSymbol("hello_world.HelloRequest")).toContain("string name = 1;");
    expect(await describeSymbol("grpc.health.v1.HealthCheckResponse.ServingStatus")).toContain("SERVING = 1;");
    expect(await describeSymbol("google.api.HttpRule")).toContain("string post = 4;");
    const everything = await outputOf(grpcurl, [...security(target), target.authority, "describe"]);
    for (const service of services) expect(everything).toContain(`${service} is a service:`);
    const { code, stderr } = await run(grpcurl, [...security(target), target.authority, "describe", "no.Such"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("Symbol not found: no.Such") });
  });

  it.each(schemas)("calls every kind of method, with the schema from %s", async (_, tell) => {
    const target = await startTargetForTest(options);
    const flags = await tell(await temporaryFolder(), target);
    const stdin = '{"text":"a"} {"text":"b"}';
    for (const [method, data, replies] of [
      ["hello_world.Greeter/SayHello", you, [hello]],
      ["hello_world.Greeter/SayHelloAgain", you, [{ message: "Hello, you Again!" }]],
      ["Unary", '{"text":"päth","data":"AP8="}', [{ text: "päth", data: "AP8=" }]],
      ["ServerStream", '{"count":3}', [{}, { index: 1 }, { index: 2 }]],
      ["ClientStream", "@", [{ text: "a,b", index: 2 }]],
      ["BidiStream", "@", [{ text: "a" }, { text: "b", index: 1 }]],
    ] as const) {
      const output = await outputOf(grpcurl, call(target, method, data, ...flags), { stdin });
      expect(parseDocuments(output)).toEqual(replies);
    }
  });

  it("sends metadata and gets them back as header and trailer", async () => {
    const target = await startTargetForTest(options);
    const sent = ["x-echo: to and fro", "x-echo-bin: AP8", "x-echo-trailer: end"].flatMap((line) => ["-H", line]);
    const output = await outputOf(grpcurl, call(target, "Unary", "{}", "-v", ...sent));
    const [, headers = "", trailers = ""] = /headers received:\n(.*)\n\n.*trailers received:\n(.*)/s.exec(output) ?? [];
    expect(headers).toMatch(/^x-echo: to and fro$/m);
    expect(headers).toMatch(/^x-echo-bin: AP8=$/m);
    expect(trailers).toMatch(/^x-echo-trailer: end$/m);
  });

  it.each([
    ["reflection", []],
    ["-proto", fromProtoFiles([...protoFiles, "google/rpc/error_details.proto"])],
  ])("gets an error with message and details, by %s, and ends with its code", async (_, flags) => {
    const target = await startTargetForTest(options);
    const failure = '{"count":2,"failure":{"code":5,"message":"100 % gone: ä","reason":"GONE"}}';
    for (const method of ["Unary", "ServerStream", "BidiStream"]) {
      const { code, stderr } = await run(grpcurl, call(target, method, failure, "-format-error", ...flags));
      expect(code).toBe(64 + 5);
      expect(JSON.parse(stderr)).toMatchObject({
        code: 5,
        message: "100 % gone: ä",
        details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "GONE", domain: "manywire.test" }],
      });
    }
  });

  it("gets Unimplemented for unknown methods", async () => {
    const target = await startTargetForTest(options);
    expect((await run(grpcurl, call(target, "Missing", "{}"))).code).toBe(64 + 12);
  });

  it("ends a call at its deadline", async () => {
    const target = await startTargetForTest(options);
    const { code, stderr } = await run(grpcurl, call(target, "Unary", '{"waitMs":9000}', "-max-time", "0.5"));
    expect({ code, stderr }).toEqual({ code: 64 + 4, stderr: expect.stringContaining("Code: DeadlineExceeded") });
  });

  it("sends 4 MB and gets 8 MB, and is refused more than 4 MiB", async () => {
    const target = await startTargetForTest(options);
    const stdin = (length: number) => JSON.stringify({ text: "a".repeat(length), replyBytes: 8_000_000 });
    const large = call(target, "Unary", "@", "-max-msg-sz", "16000000");
    const output = await outputOf(grpcurl, large, { stdin: stdin(100) });
    expect(output.length).toBeGreaterThan(8_000_000);
    const refused = await run(grpcurl, large, { stdin: stdin(4 * 1024 * 1024) });
    expect(refused.code).toBe(64 + 8);
  });

  it("asks for health", async () => {
    const target = await startTargetForTest(options);
    const ask = (method: string, data: string) => run(grpcurl, call(target, `grpc.health.v1.Health/${method}`, data));
    expect(JSON.parse((await ask("Check", '{"service":"hello_world.Greeter"}')).stdout)).toEqual({ status: "SERVING" });
    expect((await ask("Check", '{"service":"?"}')).code).toBe(64 + 5);
    expect(JSON.parse((await ask("List", "{}")).stdout).statuses[testService]).toEqual({ status: "SERVING" });
  });

  it("calls under another authority, and with text instead of JSON", async () => {
    const target = await startTargetForTest(options);
    const flags = ["-authority", "localhost", "-format", "text", "-user-agent", "tester/1"];
    const output = await outputOf(grpcurl, call(target, "hello_world.Greeter/SayHello", 'name: "you"', ...flags));
    expect(output.trim()).toMatch(/^message: {1,2}"Hello, you!"$/);
  });
});

describe.each(["fast", "reference"] as const)("grpcurl, %s lane", (lane) => {
  it("shows its certificate to a server that wants one", async () => {
    const target = await startTargetForTest({ lane, security: "mutual TLS" });
    const greet = (...flags: string[]) => run(grpcurl, call(target, "hello_world.Greeter/SayHello", you, ...flags));
    const { client, clientKey } = certificateFiles;
    expect(JSON.parse((await greet("-cert", client, "-key", clientKey)).stdout)).toEqual(hello);
    const refused = await greet("-connect-timeout", "2");
    expect({ code: refused.code === 0, stdout: refused.stdout }).toEqual({ code: false, stdout: "" });
  });

  it("calls through a Unix socket", async () => {
    const path = join(await temporaryFolder(), "socket");
    await startTargetForTest({ lane, security: "plaintext", path });
    const args = ["-plaintext", "-d", you, `unix://${path}`, "hello_world.Greeter/SayHello"];
    expect(JSON.parse(await outputOf(grpcurl, args))).toEqual(hello);
  });
});

describe("grpcurl", () => {
  it("pings every kind of server while a call runs", async () => {
    const calls = targets.map(async ([, options]) => {
      const target = await startTargetForTest(options);
      // grpc-go pings no more often than every 10 s.
      const flags = ["-keepalive-time", "10", "-max-time", "14"];
      return outputOf(grpcurl, call(target, "Unary", '{"text":"late","waitMs":11000}', ...flags));
    });
    for (const output of await Promise.all(calls)) expect(JSON.parse(output)).toEqual({ text: "late" });
  });
});
