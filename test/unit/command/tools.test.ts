// The commands that ask a server: call, describe, health.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { runTool } from "../../../server/command/tools/tools.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { startServer, type TestServer } from "../../support/server.js";

const greeter = {
  sayHello: ({ name }: { name: string }) => ({ message: `Hello, ${name}!` }),
  sayHelloAgain: ({ name }: { name: string }) => ({ message: `Hello, ${name} Again!` }),
};
const httpRules = { rules: [{ selector: `${TestService.typeName}.Unary`, post: "/v1/unary", body: "*" }] };

let server: TestServer;
let silent: TestServer;
beforeAll(async () => {
  server = await startServer({ httpRules, routes: (router) => router.service(Greeter, greeter) });
  silent = await startServer({ reflection: false });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await silent[Symbol.asyncDispose]();
});

interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

async function run(argv: readonly string[], input: readonly string[] = []): Promise<Outcome> {
  const outcome = { exitCode: -1, stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr") => ({
    write(text: string) {
      outcome[name] += text;
    },
  });
  async function* stdin() {
    yield* input;
  }
  const exitCode = await runTool(argv, { stdin: stdin(), stdout: into("stdout"), stderr: into("stderr") });
  return { ...outcome, exitCode };
}

const call = (method: string, ...flags: string[]) => [
  "call",
  server.url,
  `manywire.test.v1.TestService/${method}`,
  ...flags,
];
/** The replies, one after the other. */
const repliesOf = ({ stdout }: Outcome): unknown[] => JSON.parse(`[${stdout.replaceAll("}\n{", "},{")}]`);

const protocols = ["grpc", "grpc-web", "connect"];

describe("call", () => {
  test.each([...protocols, "rest"])("prints the reply of a unary call over %s", async (protocol) => {
    const method = protocol === "rest" ? ["call", server.url, "hello_world.Greeter/SayHello"] : call("Unary");
    const field = protocol === "rest" ? "name" : "text";
    const outcome = await run([...method, "--protocol", protocol, "-d", `{"${field}":"ä"}`]);
    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(repliesOf(outcome)).toEqual([protocol === "rest" ? { message: "Hello, ä!" } : { text: "ä" }]);
  });

  test.each(protocols)("prints each reply of a stream over %s", async (protocol) => {
    const outcome = await run([...call("ServerStream"), "--protocol", protocol, "-d", '{"text":"a","count":3}']);
    expect(repliesOf(outcome)).toEqual([{ text: "a" }, { text: "a", index: 1 }, { text: "a", index: 2 }]);
  });

  test.each(protocols)(
    "sends JSON values from standard input as the requests of a stream over %s",
    async (protocol) => {
      const input = ['{"te', 'xt":"a"}{"text":', '"{b"}\n{\n"text":"c"\n}\n'];
      const joined = await run([...call("ClientStream"), "--protocol", protocol, "-d", "@"], input);
      expect(repliesOf(joined)).toEqual([{ text: "a,{b,c", index: 3 }]);
      const echoed = await run([...call("BidiStream"), "--protocol", protocol, "-d", "@"], input);
      expect(repliesOf(echoed)).toMatchObject([{ text: "a" }, { text: "{b" }, { text: "c" }]);
    },
  );

  test.each(protocols)(
    "prints code, message and details of an error over %s, and exits with 64 and its code",
    async (protocol) => {
      const data = JSON.stringify({ failure: { code: 5, message: "no\nbook", reason: "GONE" } });
      const { exitCode, stderr, stdout } = await run([...call("Unary"), "--protocol", protocol, "-d", data]);
      expect([exitCode, stdout]).toEqual([69, ""]);
      const [line, ...detail] = stderr.split("\n");
      expect(line).toBe("error: [not_found] no book");
      const type = "type.googleapis.com/google.rpc.ErrorInfo";
      expect(JSON.parse(detail.join("\n"))).toMatchObject({ "@type": type, reason: "GONE" });
    },
  );

  test("sends headers, and shows those of the response with --verbose", async () => {
    const flags = ["-H", "x-echo: a: b", "--header", "x-echo-trailer:c", "--verbose"];
    const { stderr } = await run([...call("Unary"), ...flags]);
    expect(stderr).toContain("header x-echo: a: b\n");
    expect(stderr).toContain("trailer x-echo-trailer: c\n");
  });

  test("takes the schema from a file where a server has no reflection", async () => {
    const method = "manywire.test.v1.TestService/Unary";
    expect(await run(["call", silent.url, method])).toMatchObject({ exitCode: 1 });
    const folder = mkdtempSync(join(tmpdir(), "manywire-tools-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const schema = join(folder, "test.binpb");
    writeFileSync(
      schema,
      toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: protosOf(TestService.file) })),
    );
    const outcome = await run(["call", silent.url, method, "--schema", schema, "-d", '{"text":"a"}']);
    expect(repliesOf(outcome)).toEqual([{ text: "a" }]);
  });

  test.each<[string[], string]>([
    [["Unary", "-d", '{"txt":1}'], "error: --data: message 1: "],
    [["ClientStream", "-d", '{"text":"a"} {"text":'], "error: --data: message 2: "],
    [["Unary", "-d", "{}{}"], "error: --data: Unary takes one message, found more"],
    [["Unary", "-H", "no colon"], 'error: --header: expected "name: value", found "no colon"'],
    [["Unary", "--timeout", "soon"], "error: option '--timeout <time>' argument 'soon' is invalid."],
    [["Unary", "--tls-cert", "a.pem"], "error: --tls-cert, --tls-key: expected both or neither, found one"],
    [[], "error: missing required argument 'address'"],
    [
      ["Unarry"],
      'error: manywire.test.v1.TestService/Unarry: no such method: did you mean "manywire.test.v1.TestService/Unary"?',
    ],
    [["Unary", "--schema", "none.binpb"], "error: --schema: none.binpb: no such file"],
  ])("%o is an error that names its place", async ([method, ...flags], line) => {
    const argv = method === undefined ? ["call"] : call(method, ...flags);
    const { exitCode, stderr, stdout } = await run(argv);
    expect([exitCode > 0 && exitCode < 64, stdout]).toEqual([true, ""]);
    expect(stderr.startsWith(line), stderr).toBe(true);
  });
});

describe("describe", () => {
  test("prints all services as the text of a proto file", async () => {
    const { exitCode, stdout } = await run(["describe", server.url]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`// hello_world.Greeter
service Greeter {
  rpc SayHello(.hello_world.HelloRequest) returns (.hello_world.HelloReply) {
    option (google.api.http) = {
      post: "/v1/example/echo"
      body: "*"
    };
  }`);
    expect(stdout).toContain(
      "  rpc BidiStream(stream .manywire.test.v1.TestRequest) returns (stream .manywire.test.v1.TestReply);",
    );
  });

  test.each([
    ["hello_world.HelloRequest", "message HelloRequest {\n  string name = 1;\n}\n"],
    ["hello_world.Greeter.SayHelloAgain", "rpc SayHelloAgain("],
    ["manywire.test.v1.TestService/Unary", "rpc Unary("],
  ])("prints %s", async (name, text) => {
    expect((await run(["describe", server.url, name])).stdout).toContain(text);
  });

  test("says what is not there", async () => {
    const { exitCode, stderr } = await run(["describe", server.url, "hello_world.Greter"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('did you mean "hello_world.Greeter"?')]);
  });
});

describe("health", () => {
  const health = (...flags: string[]) => ["health", server.url, ...flags];

  test.each(protocols)("prints the status over %s and exits with 0 while it serves", async (protocol) => {
    expect(await run(health("--protocol", protocol))).toEqual({ exitCode: 0, stdout: "SERVING\n", stderr: "" });
  });

  test("exits with 4 where a service is not serving, and with 3 for one that is unknown", async () => {
    server.server.health.set("a.Service", "NOT_SERVING");
    expect(await run(health("--service", "a.Service"))).toMatchObject({ exitCode: 4, stdout: "NOT_SERVING\n" });
    expect(await run(health("--service", "b.Service"))).toMatchObject({ exitCode: 3, stdout: "" });
  });

  test("exits with 2 where nothing listens, and with 1 for wrong usage", async () => {
    const closed = createTcpServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    expect(await run(["health", `localhost:${port}`])).toMatchObject({ exitCode: 2 });
    expect(await run(health("--timeout", "0s"))).toMatchObject({ exitCode: 1 });
    expect(await run(["health", "ftp://a"])).toMatchObject({ exitCode: 1 });
  });
});

function protosOf(file: DescFile): DescFile["proto"][] {
  return [...file.dependencies.flatMap(protosOf), file.proto];
}
