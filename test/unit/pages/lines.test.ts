import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { createMethodTable } from "../../../server/call/table.js";
import { greeter } from "../../../server/greeter.js";
import { type Call, listLines } from "../../../server/pages/browser/lines.js";
import type { JsonValue, MethodInfo } from "../../../server/pages/browser/method.js";
import { describeServices } from "../../../server/pages/description.js";
import { toUniversalHandler } from "../../../server/reference/universal-handler.js";
import { readRules } from "../../../server/rest/route/rules.js";
import { runAtOnce } from "../../../server/slices.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { echoing } from "../../support/rest-service.js";
import { startServer, type TestServer } from "../../support/server.js";
import { root, type Stage, stagePackage } from "../../support/stage.js";
import { Workspace } from "../../support/workspace.js";

const services = [Greeter, TestService, RestService];
const methods = describeAll({ hasReflection: true });

function describeAll({ hasReflection }: { hasReflection: boolean }): Map<string, MethodInfo> {
  const table = createMethodTable({}, toUniversalHandler);
  for (const service of services) table.router.service(service as never, {});
  const all = [...table.methods.values()];
  const described = runAtOnce(describeServices(table.services, all, readRules(services).bindings)).flatMap(
    (service) => service.methods,
  );
  const infos = described.map(({ info }) => ({ ...info, protoFile: hasReflection ? undefined : info.protoFile }));
  return new Map(infos.map((info) => [info.name, info]));
}

/** The lines of a call by caller, which is of the first route unless another is named. */
function linesOf(name: string, messages: JsonValue[], more: Partial<Call> & { route?: never; template?: string } = {}) {
  const { template, ...others } = more;
  const method = others.method ?? (methods.get(name) as MethodInfo);
  const route = method.routes.find((one) => template === undefined || one.template === template);
  const lines = listLines({ method, route, base: "http://localhost:50051", messages, headers: {}, ...others });
  return Object.fromEntries(lines.map(({ caller, text }) => [caller, text]));
}

describe("lines to copy", () => {
  it("have no flag for plaintext where the page came over TLS, and name the port", () => {
    const { gRPC, "gRPC-Web": grpcWeb } = linesOf("SayHello", [{}], { base: "https://words.example" });
    expect(gRPC).toBe("grpcurl -d '{}' words.example:443 hello_world.Greeter/SayHello");
    expect(grpcWeb).toBe("buf curl --protocol grpcweb -d '{}' https://words.example/hello_world.Greeter/SayHello");
  });

  it("have the deadline", () => {
    const { gRPC, REST, Connect, "gRPC-Web": grpcWeb, TypeScript } = linesOf("SayHello", [{}], { timeoutMs: 1500 });
    expect(gRPC).toContain("grpcurl -plaintext -max-time 1.5 -d ");
    expect(REST).toContain("curl -H 'x-server-timeout: 1.5' ");
    expect(Connect).toContain("curl -H 'connect-timeout-ms: 1500' ");
    expect(grpcWeb).toContain("--http2-prior-knowledge --timeout 1500ms -d ");
    expect(TypeScript).toContain("client.sayHello({}, { timeoutMs: 1500 })");
  });

  it("name the proto file where there is no reflection", () => {
    const method = describeAll({ hasReflection: false }).get("SayHello") as MethodInfo;
    const { gRPC, "gRPC-Web": grpcWeb } = linesOf("SayHello", [{}], { method });
    expect(gRPC).toContain("grpcurl -plaintext -proto hello_world.proto -d '{}' ");
    expect(grpcWeb).toContain(" --schema hello_world.proto -d '{}' ");
  });

  it("are of the protocols that the method is served by", () => {
    const method = { ...(methods.get("SayHello") as MethodInfo), protocols: ["connect"] };
    expect(Object.keys(linesOf("SayHello", [{}], { method }))).toEqual(["REST", "Connect", "TypeScript"]);
    expect(Object.keys(linesOf("Unary", [{}]))).toEqual(["gRPC", "Connect", "gRPC-Web", "TypeScript"]);
  });

  it("cannot be left by what is typed", () => {
    const name = "'; touch /tmp/x; '";
    const { gRPC, REST } = linesOf("SayHelloAgain", [{ name }], { headers: { "x-a": "it's" } });
    expect(gRPC).toContain(`-H 'x-a: it'\\''s' -d '{"name":"'\\''; touch /tmp/x; '\\''"}' `);
    expect(REST).toBe(
      `curl -H 'x-a: it'\\''s' 'http://localhost:50051/v1/example/echo/'\\''%3B%20touch%20%2Ftmp%2Fx%3B%20'\\'''`,
    );
  });

  it.each([
    ["PURGE", "Custom", "/v1/custom/{name}", "curl -X PURGE 'http://localhost:50051/v1/custom/a?collection=b'"],
    [
      "any method",
      "Custom",
      "/v1/any/{name}",
      `curl -H 'content-type: application/json' -d '{"collection":"b"}' http://localhost:50051/v1/any/a`,
    ],
    [
      "bytes",
      "Raw",
      "/v1/raw",
      "echo AP8= | base64 -d | curl -H 'content-type: a/b' --data-binary @- http://localhost:50051/v1/raw",
    ],
    [
      "streams in both directions",
      "BidiStream",
      "/v1/bidi-stream",
      `curl -N --http2-prior-knowledge -H 'content-type: application/x-ndjson' --data-binary '{"name":"a","collection":"b"}\n' http://localhost:50051/v1/bidi-stream`,
    ],
    ["a stream of replies", "Download", "/v1/download/{name=**}", "curl -N http://localhost:50051/v1/download/a"],
    [
      "a stream of requests",
      "ClientStream",
      "/v1/client-stream",
      `curl -H 'content-type: application/x-ndjson' --data-binary '{"name":"a","collection":"b"}\n' http://localhost:50051/v1/client-stream`,
    ],
  ])("of REST know %s", (_, name, template, expected) => {
    const service = "manywire.test.rest.v1.RestService";
    const message =
      name === "Download"
        ? { name: "a" }
        : name === "Raw"
          ? { contentType: "a/b", data: "AP8=" }
          : { name: "a", collection: "b" };
    const method = [...methods.values()].find((one) => one.name === name && one.service === service) as MethodInfo;
    expect(linesOf(name, [message], { method, template }).REST).toBe(expected);
  });
});

describe("lines that have been copied", () => {
  let stage: Stage;
  let workspace: Workspace;
  let server: TestServer;

  beforeAll(async () => {
    stage = await stagePackage();
    workspace = await Workspace.create(stage);
    await workspace.copyGenerated();
    await workspace.run(`cp -r '${root}/test/gen' .`);
    server = await startServer({
      routes: (router) => {
        const { template: _, ...others } = echoing;
        router.service(Greeter, greeter).service(RestService, others);
      },
    });
  }, 60_000);

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await workspace?.[Symbol.asyncDispose]();
    await stage?.[Symbol.asyncDispose]();
  });

  /** Documents of JSON in a row, an array counting as what is in it. */
  const documents = (text: string) => JSON.parse(`[${text.replaceAll(/\}\s*\{/g, "},{")}]`).flat();

  it.each<[string, JsonValue[], unknown[]]>([
    ["SayHello", [{ name: "Zoë's" }], [{ message: "Hello, Zoë's!" }]],
    ["SayHelloAgain", [{ name: "a/b c" }], [{ message: "Hello, a/b c Again!" }]],
    ["Query", [{ number: "7", words: ["a", "&"] }], [{ number: "7", words: ["a", "&"] }]],
    ["Custom", [{ name: "a", collection: "b" }], [{ name: "a", collection: "b" }]],
    ["ServerStream", [{ text: "a", number: "2" }], [{ text: "a" }, { text: "a", number: "1" }]],
    ["ClientStream", [{ text: "a" }, { text: "b" }], [{ words: ["a", "b"] }]],
    ["BidiStream", [{ text: "a" }, { text: "b" }], [{ text: "a" }, { text: "b" }]],
  ])("get the response of %s, in a shell", async (name, messages, expected) => {
    const { gRPC: _, TypeScript: __, ...lines } = linesOf(name, messages, { base: server.url });
    expect(Object.keys(lines)).toEqual(["REST", "Connect", "gRPC-Web"]);
    for (const [caller, line] of Object.entries(lines)) {
      const { code, stdout, stderr } = await workspace.run(line);
      expect([caller, code, code === 0 ? documents(stdout) : stderr]).toEqual([caller, 0, expected]);
    }
  });

  it.each<[string, JsonValue[], shown: string]>([
    ["SayHello", [{ name: "Zoë's" }], 'message: "Hello, Zoë\'s!"'],
    ["Query", [{ number: "7", words: ["a", "&"] }], "number: 7n"],
    ["ServerStream", [{ text: "a", number: "2" }], "number: 1n"],
    ["ClientStream", [{ text: "a" }, { text: "b" }], "words: [ 'a', 'b' ]"],
  ])("get the response of %s, in TypeScript", async (name, messages, shown) => {
    const { TypeScript: program = "" } = linesOf(name, messages, { base: server.url });
    const { code, stdout, stderr } = await workspace.runTypeScript(program);
    expect([code, stdout, stderr]).toEqual([0, expect.stringContaining(shown), ""]);
  });
});
