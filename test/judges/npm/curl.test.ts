// curl calls us: Connect as a person types it, over every HTTP version.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, it, onTestFinished } from "vitest";
import { HelloRequestSchema } from "../../../gen/hello_world_pb.js";
import { certificateFiles, startTargetForTest, type Target, targets } from "../../support/foreign-target.js";
import { hasProgram, type RunOptions, run } from "../../support/program.js";

const isMissing = !hasProgram("curl");
const note = isMissing ? " (skipped: curl is not on the PATH)" : "";

interface Reply {
  exitCode: number;
  status: number;
  httpVersion: string;
  headers: Record<string, string>;
  body: string;
}

/** The options that ask for an HTTP version, and the version that the response is to have. */
const plaintextVersions = [
  ["--http1.0", "1.1"],
  ["--http1.1", "1.1"],
  ["--http2", "1.1"], // The offer to upgrade is not taken.
  ["--http2-prior-knowledge", "2"],
];
const tlsVersions = [
  ["--http1.1", "1.1"],
  ["--http2", "2"],
];

const combinations = targets.flatMap(([name, options]) =>
  (options.security === "TLS" ? tlsVersions : plaintextVersions).map(
    ([flag = "", httpVersion = ""]) => [`${name}, ${flag}`, { options, flag, httpVersion }] as const,
  ),
);

/** One request to a path, with the options of a person. */
async function curl(target: Target, path: string, args: string[], options?: RunOptions): Promise<Reply> {
  const summary = '\n{"httpVersion":"%{http_version}","status":"%{http_code}","headers":%{header_json}}';
  const { code, stdout, stderr } = await run(
    "curl",
    ["-sS", "--max-time", "10", "-w", summary, "--cacert", certificateFiles.authority, `${target.url}${path}`, ...args],
    options,
  );
  const end = stdout.lastIndexOf('\n{"httpVersion"');
  if (end < 0) throw new Error(`curl printed no summary: ${stdout}${stderr}`);
  const { headers, status, httpVersion } = JSON.parse(stdout.slice(end));
  const single = Object.entries<string[]>(headers).map(([name, values]) => [name, values.join(", ")]);
  return {
    exitCode: code,
    status: Number(status),
    httpVersion,
    headers: Object.fromEntries(single),
    body: stdout.slice(0, end),
  };
}

const greeter = "/hello_world.Greeter/SayHello";
const unary = "/manywire.test.v1.TestService/Unary";
const json = ["-H", "content-type: application/json"];
const hello = { exitCode: 0, status: 200, body: '{"message":"Hello, you!"}' };

describe.skipIf(isMissing).each(combinations)(`curl, %s${note}`, (_, { options, flag, httpVersion }) => {
  it("says hello", async () => {
    const target = await startTargetForTest(options);
    const reply = await curl(target, greeter, [flag, ...json, "-d", '{"name":"you"}']);
    expect(reply).toMatchObject({ ...hello, httpVersion, headers: { "content-type": "application/json" } });
  });

  it("says hello with GET, as JSON and as base64", async () => {
    const target = await startTargetForTest(options);
    const query = ["-G", "-d", "connect=v1", "-d", "encoding=json", "--data-urlencode", 'message={"name":"you"}'];
    expect(await curl(target, greeter, [flag, ...query])).toMatchObject({ ...hello, httpVersion });
    const bytes = Buffer.from('{"name":"you"}').toString("base64url");
    expect(await curl(target, `${greeter}?encoding=json&base64=1&message=${bytes}`, [flag])).toMatchObject(hello);
  });

  it("sends protobuf, gzip and chunked bodies", async () => {
    const target = await startTargetForTest(options);
    const stdin = toBinary(HelloRequestSchema, { $typeName: "hello_world.HelloRequest", name: "you" });
    const proto = [flag, "--data-binary", "@-", "-H", "content-type: application/proto"];
    expect(await curl(target, greeter, proto, { stdin })).toMatchObject({ status: 200, body: "\n\vHello, you!" });
    const zipped = [flag, "--data-binary", "@-", ...json, "-H", "content-encoding: gzip"];
    expect(await curl(target, greeter, zipped, { stdin: gzipSync('{"name":"you"}') })).toMatchObject(hello);
    const upload = [flag, "-T", "-", "-X", "POST", ...json];
    const expected = flag === "--http1.0" ? { exitCode: 25 } : hello; // HTTP/1.0 cannot say where such a body ends.
    expect(await curl(target, greeter, upload, { stdin: '{"name":"you"}' })).toMatchObject(expected);
  });

  it("gets large responses compressed, if it wants them so", async () => {
    const target = await startTargetForTest(options);
    const body = ["-d", '{"replyBytes":30000}'];
    for (const accepted of [[], ["--compressed"], ["--compressed", "-H", "accept-encoding: gzip"]]) {
      const reply = await curl(target, unary, [flag, ...json, ...body, ...accepted]);
      expect(reply.status).toBe(200);
      expect(JSON.parse(reply.body).data).toBe(Buffer.alloc(30_000).toString("base64"));
      expect(reply.headers["content-encoding"] ?? "none").toMatch(accepted.length > 0 ? /^(gzip|br)$/ : /^none$/);
    }
  });

  it("gets Connect's errors, with details and metadata", async () => {
    const target = await startTargetForTest(options);
    const body = '{"failure":{"code":5,"message":"gone: ä","reason":"GONE"}}';
    const reply = await curl(target, unary, [flag, ...json, "-H", "x-fail-hint: later", "-d", body]);
    expect(reply).toMatchObject({ status: 404, headers: { hint: "later", "content-type": "application/json" } });
    expect(JSON.parse(reply.body)).toMatchObject({
      code: "not_found",
      message: "gone: ä",
      details: [{ type: "google.rpc.ErrorInfo" }],
    });
  });

  it.each([
    ["a wrong path", "/nowhere", [], 404],
    ["a wrong method", "/hello_world.Greeter/SayNothing", ["-d", "{}", ...json], 404],
    ["a method without implementation", "/manywire.test.v1.TestService/Missing", ["-d", "{}", ...json], 501],
    ["a wrong verb", greeter, ["-X", "PUT", "-d", "{}", ...json], 405],
    ["a wrong content type", greeter, ["-d", "name=you"], 415],
    ["no JSON", greeter, ["-d", "{", ...json], 400],
    ["an unknown field", greeter, ["-d", '{"nome":"you"}', ...json], 200],
    ["a deadline", unary, ["-d", '{"waitMs":5000}', ...json, "-H", "connect-timeout-ms: 50"], 504],
    ["health", "/healthz", [], 200],
    ["readiness", "/readyz", [], 200],
  ])("gets HTTP status %s", async (_, path, args, status) => {
    const target = await startTargetForTest(options);
    expect((await curl(target, path, [flag, ...args])).status).toBe(status);
  });

  it("uploads 3 MB, and is refused more than 4 MiB", async () => {
    const target = await startTargetForTest(options);
    const upload = [flag, ...json, "--data-binary", "@-"];
    const under = JSON.stringify({ text: "a".repeat(3_000_000) });
    expect(await curl(target, unary, upload, { stdin: under })).toMatchObject({ status: 200 });
    const over = JSON.stringify({ text: "a".repeat(4 * 1024 * 1024) });
    const refused = await curl(target, unary, upload, { stdin: over });
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body).code).toBe("resource_exhausted");
  });

  it("gets headers, and trailers as headers", async () => {
    const target = await startTargetForTest(options);
    const sent = ["-H", "x-echo: here", "-H", "x-echo-trailer: there", "-d", "{}"];
    const { headers } = await curl(target, unary, [flag, ...json, ...sent]);
    expect(headers).toMatchObject({ "x-echo": "here", "trailer-x-echo-trailer": "there" });
  });

  it("disconnects, which aborts the handler's signal", async () => {
    const target = await startTargetForTest(options);
    const left = await curl(target, unary, [flag, ...json, "-d", '{"text":"left","waitMs":9000}', "--max-time", "0.3"]);
    expect(left.exitCode).toBe(28);
    expect(await target.seen.ended("left")).toMatchObject({ kind: "threw" });
  });
});

// HTTP/1.0 has one request per connection, as has an offer to upgrade; curl 7.88 stumbles over its own second request with
// prior knowledge.
const reusing = combinations.filter(
  ([, { options, flag }]) => flag === "--http1.1" || (flag === "--http2" && options.security === "TLS"),
);
const streaming = combinations.filter(([, { flag }]) => flag !== "--http1.0");

describe.skipIf(isMissing).each(reusing)(`curl, %s${note}`, (_, { options, flag }) => {
  it("calls a hundred times on one connection", async () => {
    const target = await startTargetForTest(options);
    const url = `${target.url}${greeter}?encoding=json&message=%7B%22name%22:%22[1-100]%22%7D`;
    const args = ["-sS", flag, "--cacert", certificateFiles.authority, "-w", " %{num_connects}\n", url];
    const { stdout } = await run("curl", args);
    const lines = Array.from(
      { length: 100 },
      (_, index) => `{"message":"Hello, ${index + 1}!"} ${index === 0 ? 1 : 0}`,
    );
    expect(stdout.trim().split("\n")).toEqual(lines);
  });
});

describe.skipIf(isMissing).each(streaming)(`curl, %s${note}`, (_, { options, flag }) => {
  it("reads a server's stream", async () => {
    const target = await startTargetForTest(options);
    const message = Buffer.from('{"count":2,"text":"a"}');
    const stdin = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
    const type = ["-H", "content-type: application/connect+json", "--data-binary", "@-"];
    const { body } = await curl(target, "/manywire.test.v1.TestService/ServerStream", [flag, ...type], { stdin });
    expect(body.match(/\{.*?\}/g)).toEqual(['{"text":"a"}', '{"text":"a","index":1}', "{}"]);
  });
});

describe.skipIf(isMissing).each(["fast", "reference"] as const)(`curl, %s lane${note}`, (lane) => {
  it("shows its certificate to a server that wants one", async () => {
    const target = await startTargetForTest({ lane, security: "mutual TLS" });
    const { client, clientKey } = certificateFiles;
    const body = [...json, "-d", '{"name":"you"}'];
    const certificate = ["--cert", client, "--key", clientKey];
    for (const flag of ["--http1.1", "--http2"]) {
      expect(await curl(target, greeter, [flag, ...body, ...certificate])).toMatchObject(hello);
      expect(await curl(target, greeter, [flag, ...body])).toMatchObject({ status: 0 });
    }
  });

  it("calls through a Unix socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "manywire-foreign-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "socket");
    const target = await startTargetForTest({ lane, security: "plaintext", path });
    const args = ["--unix-socket", path, ...json, "-d", '{"name":"you"}'];
    for (const flag of ["--http1.1", "--http2-prior-knowledge"]) {
      expect(await curl({ ...target, url: "http://localhost" }, greeter, [flag, ...args])).toMatchObject(hello);
    }
  });
});
