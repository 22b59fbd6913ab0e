// `manywire proxy` and `manywire openapi --upstream` before a server of this process.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { createServer, type Server } from "../../../server/index.js";
import { CommandProcess } from "../../support/command-process.js";
import { request } from "../../support/http.js";
import { root, type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;
let upstream: Server;
/** Has no reflection. */
let silent: Server;

const routes = { sayHello: ({ name }: { name: string }) => ({ message: `Hello, ${name}!` }) };

beforeAll(async () => {
  stage = await stagePackage();
  const options = {
    port: 0,
    routes: (router: Parameters<Parameters<typeof createServer>[0]["routes"]>[0]) => router.service(Greeter, routes),
  };
  upstream = createServer(options);
  silent = createServer({ ...options, reflection: false });
  await Promise.all([upstream.listen(), silent.listen()]);
  await mkdir(join(stage.folder, "wrong"));
  await writeFile(join(stage.folder, "wrong/a.proto"), 'syntax = "proto3";\nmessage A { string }\n');
}, 60_000);

afterAll(async () => {
  await Promise.all([upstream.close(), silent.close()]);
  await stage[Symbol.asyncDispose]();
});

const start = (...argv: string[]) =>
  new CommandProcess({ main: [stage.main], argv, env: { PATH: `${root}node_modules/.bin:${process.env.PATH}` } });
const echo = {
  path: "/v1/example/echo",
  headers: { "content-type": "application/json" },
  body: '{"name":"you"}',
};

describe("manywire proxy", () => {
  it("serves what the upstream's reflection says, and prints how to call it", async () => {
    await using command = start("proxy", "--upstream", upstream.url, "--port", "0");
    const url = await command.url();
    await command.until("the banner", () => command.stdout.includes("--host ::") || undefined);
    expect(command.stdout).toContain(`serves hello_world.Greeter on ${url}\n`);
    expect((await request(url, echo)).text).toBe('{"message":"Hello, you!"}');
    expect((await request(url, { method: "GET", path: "/openapi.json" })).text).toContain("/v1/example/echo");
  });

  it("serves a server without reflection by a folder of proto files", async () => {
    await using command = start("proxy", "--upstream", silent.url, "--proto", join(root, "proto"), "--port", "0");
    const url = await command.url();
    expect((await request(url, echo)).text).toBe('{"message":"Hello, you!"}');
    expect((await request(url, { method: "GET", path: "/openapi.json" })).text).toContain("greet");
  });

  it("listens before the upstream does, and says what is missing", async () => {
    await using command = start("proxy", "--upstream", "127.0.0.1:1", "--port", "0");
    const answer = await request(await command.url(), echo);
    expect([answer.status, answer.text]).toEqual([503, expect.stringContaining("127.0.0.1:1: ")]);
    const line = await command.until("the line", () => command.log.find(({ step }) => step === "upstream schema"));
    expect(line).toMatchObject({ level: "warn" });
  });
});

describe("manywire proxy with guards", () => {
  it("limits how often an address may call, and validates", async () => {
    const argv = ["proxy", "--upstream", upstream.url, "--port", "0", "--rate-limit", "1/h", "--validate"];
    await using command = start(...argv);
    const url = await command.url();
    expect((await request(url, echo)).status).toBe(200);
    const { status, headers } = await request(url, echo);
    expect([status, headers["retry-after"]]).toEqual([429, "3600"]);
  });

  it("limits methods by its configuration", async () => {
    const file = join(stage.folder, "limits.yaml");
    const limits = "rate-limits: [{ limit: 1/h, methods: [hello_world.Greeter/SayHello] }]";
    await writeFile(file, `upstreams: [{ url: "${upstream.url}" }]\n${limits}\n`);
    await using command = start("proxy", "--config", file, "--port", "0");
    const url = await command.url();
    const statusOf = async (path: string) => (await request(url, { ...echo, path })).status;
    const again = "/hello_world.Greeter/SayHelloAgain";
    expect([await statusOf(echo.path), await statusOf(echo.path)]).toEqual([200, 429]);
    expect(await statusOf(again)).not.toBe(429);
  });
});

describe("manywire openapi --upstream", () => {
  it("prints the document of a server that runs", async () => {
    const { exitCode, stdout } = await start("openapi", "--upstream", upstream.url).ended;
    expect([exitCode, Object.keys(JSON.parse(stdout).paths)[0]]).toEqual([0, "/v1/example/echo"]);
  });

  it("says why there is none", async () => {
    const { exitCode, stderr } = await start("openapi", "--upstream", "127.0.0.1:1").ended;
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^error: .*127\.0\.0\.1:1.*\n$/)]);
  });
});

describe("settings that cannot be used", () => {
  it.each<[argv: string[], exitCode: number, stderr: RegExp]>([
    [["proxy"], 2, /^error: --upstream: expected the address of a gRPC server, found none\n$/],
    [
      ["proxy", "--upstream", "a:1", "--pass-unknown", "--validate"],
      2,
      /^error: --validate: expected no --pass-unknown beside it, whose calls are not decoded\n$/,
    ],
    [
      ["--rate-limit", "100"],
      2,
      /^error: --rate-limit: expected a number of calls and a time, such as 100\/s, 50\/10s or 1000\/h, found "100"\n$/,
    ],
    [["serve", "--upstream", "a:1"], 2, /^error: --upstream: expected the command proxy or openapi to go with it\n$/],
    [["proxy", "--upstream", "a:1", "--proto", "none"], 1, /^error: --proto: none: no such folder\n$/],
    [
      ["proxy", "--upstream", "a:1", "--proto", "F/dist/server"],
      1,
      /^error: --proto: .*: expected \.proto files, found none\n$/,
    ],
    [["proxy", "--upstream", "a:1", "--proto", "F/wrong"], 1, /^error: --proto: .*wrong: buf says: .*a\.proto:2/],
    [
      ["proxy", "--upstream", "a:1", "--schema-cache", "none/a"],
      1,
      /^error: --schema-cache: none\/a: its folder is not/,
    ],
    [
      ["proxy", "--upstream", "a:1", "--no-upstream-reflection"],
      2,
      /^error: --no-upstream-reflection: expected --proto/,
    ],
    [["proxy", "--upstream", "a:1", "--schema", "none"], 1, /^error: --schema: none: /],
    [["proxy", "--upstream", "a:1", "--schema", "F/package.json"], 1, /^error: --schema: .*package\.json: expected a/],
    [["proxy", "--upstream", "https://a:1", "--upstream-ca", "F/package.json"], 1, /^error: --upstream-ca: .*PEM\n$/],
    [["proxy", "--upstream", "a:1", "--schema", "a", "--proto", "b"], 2, /^error: --proto: expected either/],
  ])("stop %j", async (argv, exitCode, stderr) => {
    const outcome = await start(...argv.map((word) => word.replace("F/", `${stage.folder}/`))).ended;
    expect(outcome.stderr).toMatch(stderr);
    expect([outcome.exitCode, outcome.stdout]).toEqual([exitCode, ""]);
  });
});
