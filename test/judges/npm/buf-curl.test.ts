// buf curl calls us: three protocols, over both HTTP versions where the protocol can.
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { certificateFiles, startTargetForTest, type Target, targets } from "../../support/foreign-target.js";
import { outputOf, run } from "../../support/program.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
// The program itself, of which only the package for this platform is installed: the script in .bin starts Node first.
const packages = join(root, "node_modules/@bufbuild");
const buf = join(packages, readdirSync(packages).find((name) => name.startsWith("buf-")) ?? "", "bin/buf");
let folder: string;
let schema: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "manywire-foreign-"));
  schema = join(folder, "schema.binpb");
  const paths = ["proto/hello_world.proto", "test/proto/manywire"].flatMap((path) => ["--path", join(root, path)]);
  await outputOf(buf, ["build", root, "-o", schema, ...paths]);
});
afterAll(() => rm(folder, { recursive: true }));

const prior = "--http2-prior-knowledge";
/** Protocol, further flags, and the HTTP version that they lead to. */
const plaintextWires: [string, string[], string][] = [
  ["connect", [], "1.1"],
  ["connect", [prior], "2.0"],
  ["grpcweb", [], "1.1"],
  ["grpcweb", [prior], "2.0"],
  ["grpc", [], "2.0"],
];
const tlsWires: [string, string[], string][] = ["connect", "grpcweb", "grpc"].map((protocol) => [protocol, [], "2.0"]);

const combinations = targets.flatMap(([name, options]) =>
  (options.security === "TLS" ? tlsWires : plaintextWires).map(
    ([protocol, flags, httpVersion]) =>
      [
        `${name}, ${protocol}, HTTP/${httpVersion}`,
        { options, httpVersion, wire: ["--protocol", protocol, ...flags] as string[] },
      ] as const,
  ),
);

/** What buf curl prints of a trailer. Those of gRPC-Web are in the body, which it does not show. */
const shownTrailer = {
  connect: "< (#1) Trailer-X-Echo-Trailer: end",
  grpc: "< (#1) X-Echo-Trailer: end",
  grpcweb: "Call complete",
};

/** The arguments of a call by schema. */
function call({ url }: Target, method: string, wire: readonly string[], data: string | undefined): string[] {
  const service = method.startsWith("SayHello") ? "hello_world.Greeter" : "manywire.test.v1.TestService";
  const body = data === undefined ? [] : ["-d", data];
  return ["curl", "--schema", schema, ...trust(url), ...wire, ...body, `${url}/${service}/${method}`];
}

function trust(url: string): string[] {
  return url.startsWith("https:") ? ["--cacert", certificateFiles.authority] : [];
}

/** Documents of JSON in a row, as buf curl prints them. */
function parseDocuments(text: string): unknown[] {
  return JSON.parse(`[${text.replaceAll(/\}\s*\{/g, "},{")}]`);
}

describe.each(combinations)("buf curl, %s", (_, { options, httpVersion, wire }) => {
  it("says hello, in the HTTP version that was asked for", async () => {
    const target = await startTargetForTest(options);
    const { code, stdout, stderr } = await run(buf, call(target, "SayHello", ["-v", ...wire], '{"name":"you"}'));
    expect({ code, reply: JSON.parse(stdout) }).toEqual({ code: 0, reply: { message: "Hello, you!" } });
    expect(stderr).toContain(`HTTP/${httpVersion} 200`);
  });

  it("calls every kind of method", async () => {
    const target = await startTargetForTest(options);
    const texts = ["a", "b"].map((text) => ({ text }));
    const stdin = texts.map((text) => JSON.stringify(text)).join("\n");
    for (const [method, data, replies] of [
      ["Unary", '{"text":"päth","data":"AP8="}', [{ text: "päth", data: "AP8=" }]],
      ["ServerStream", '{"count":3}', [{}, { index: 1 }, { index: 2 }]],
      ["ClientStream", "@-", [{ text: "a,b", index: 2 }]],
      ["BidiStream", "@-", [{ text: "a" }, { text: "b", index: 1 }]],
    ] as const) {
      const output = await outputOf(buf, call(target, method, wire, data), { stdin });
      expect(parseDocuments(output)).toEqual(replies);
    }
  });

  it("sends metadata and gets them back as header and trailer", async () => {
    const target = await startTargetForTest(options);
    const sent = ["-H", "x-echo: to and fro", "-H", "x-echo-trailer: end", "-v"];
    const { stderr } = await run(buf, call(target, "Unary", [...wire, ...sent], "{}"));
    expect(stderr).toContain("< (#1) X-Echo: to and fro");
    expect(stderr).toContain(shownTrailer[wire[1] as keyof typeof shownTrailer]);
  });

  it("gets an error with its details, and ends with its code", async () => {
    const target = await startTargetForTest(options);
    const failure = '{"count":2,"failure":{"code":5,"message":"gone: ä","reason":"GONE"}}';
    for (const method of ["Unary", "ServerStream"]) {
      const { code, stderr } = await run(buf, call(target, method, wire, failure));
      expect(code).toBe(5 << 3);
      expect(JSON.parse(stderr)).toMatchObject({
        code: "not_found",
        message: "gone: ä",
        details: [{ type: "google.rpc.ErrorInfo" }],
      });
    }
    expect((await run(buf, call(target, "Missing", wire, "{}"))).code).toBe(12 << 3);
  });
});

describe.each(targets)("buf curl, %s", (_, options) => {
  it.each(["grpc-v1", "grpc-v1alpha"])("learns the schema by reflection (%s)", async (reflection) => {
    const target = await startTargetForTest(options);
    const flags = ["--reflect-protocol", reflection, ...trust(target.url)];
    const services = await outputOf(buf, ["curl", "--list-services", prior, ...flags, target.url]);
    expect(services.trim().split("\n")).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "hello_world.Greeter",
      "manywire.test.v1.TestService",
    ]);
    const greeter = `${target.url}/hello_world.Greeter/SayHello`;
    const reply = await outputOf(buf, ["curl", ...flags, "-d", '{"name":"you"}', greeter]);
    expect(JSON.parse(reply)).toEqual({ message: "Hello, you!" });
  });

  it("asks for health", async () => {
    const target = await startTargetForTest(options);
    const check = ["-d", '{"service":"hello_world.Greeter"}', `${target.url}/grpc.health.v1.Health/Check`];
    const reply = await outputOf(buf, ["curl", ...trust(target.url), ...check]);
    expect(JSON.parse(reply)).toEqual({ status: "SERVING" });
  });
});

describe.each(["fast", "reference"] as const)("buf curl, %s lane", (lane) => {
  it("shows its certificate to a server that wants one", async () => {
    const target = await startTargetForTest({ lane, security: "mutual TLS" });
    const certificate = ["--cert", certificateFiles.client, "--key", certificateFiles.clientKey];
    const reply = await outputOf(buf, call(target, "SayHello", certificate, '{"name":"you"}'));
    expect(JSON.parse(reply)).toEqual({ message: "Hello, you!" });
    expect((await run(buf, call(target, "SayHello", [], '{"name":"you"}'))).code).not.toBe(0);
  });

  it("calls through a Unix socket", async () => {
    const path = join(folder, `${lane}.sock`);
    const target = await startTargetForTest({ lane, security: "plaintext", path });
    const near = { ...target, url: "http://localhost" };
    for (const protocol of ["connect", "grpc"]) {
      const wire = ["--unix-socket", path, "--protocol", protocol];
      expect(JSON.parse(await outputOf(buf, call(near, "SayHello", wire, undefined)))).toEqual({ message: "Hello, !" });
    }
  });
});
