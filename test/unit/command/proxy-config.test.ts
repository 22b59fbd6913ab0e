// `manywire proxy --config` as a process: several upstreams, and reloads under load.
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTransport, type TransportOptions } from "../../../client/index.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { createServer, type Server } from "../../../server/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { CommandProcess } from "../../support/command-process.js";
import { request } from "../../support/http.js";
import { failureOf } from "../../support/outcome.js";
import { startServer, type TestServer } from "../../support/server.js";
import { type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;
let folder: string;
let greeter: Server;
let tests: TestServer;

beforeAll(async () => {
  stage = await stagePackage();
  folder = await mkdtemp(join(tmpdir(), "manywire-proxy-"));
  greeter = createServer({
    port: 0,
    routes: (router) => router.service(Greeter, { sayHello: ({ name }) => ({ message: `Hello, ${name}!` }) }),
  });
  await greeter.listen();
  tests = await startServer();
}, 60_000);

afterAll(async () => {
  await Promise.all([greeter.close(), tests[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true });
  await stage[Symbol.asyncDispose]();
});

/** Replaces a file at once, as an editor does. */
async function write(name: string, text: string): Promise<void> {
  await writeFile(join(folder, `${name}.new`), text);
  await rename(join(folder, `${name}.new`), join(folder, name));
}

const start = (...argv: string[]) =>
  new CommandProcess({
    main: [stage.main],
    argv: ["proxy", "--config", join(folder, "proxy.yaml"), "--port", "0", ...argv],
  });
const greeterOnly = () => `upstreams:\n  - url: ${greeter.url}\n`;
const both = () => `${greeterOnly()}  - url: ${tests.url}\n`;

const reloaded = "reloaded";
const failed = "not reloaded; nothing changed";

function openTest(baseUrl: string) {
  const transport = createTransport({ protocol: "grpc", baseUrl });
  return { client: createClient(TestService, transport), [Symbol.dispose]: () => transport.close() };
}

/** Calls one after the other until it is stopped. */
class Load {
  calls = 0;
  readonly failures: unknown[] = [];
  #isRunning = true;
  readonly #ended: Promise<void>;

  constructor(call: () => Promise<string>) {
    this.#ended = this.#run(call);
  }

  async #run(call: () => Promise<string>): Promise<void> {
    while (this.#isRunning) {
      const reply = await call().catch((error: unknown) => error);
      this.calls++;
      if (reply !== "Hello, you!") this.failures.push(reply);
    }
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#ended;
  }
}

const ways: Omit<TransportOptions, "baseUrl">[] = [
  { protocol: "grpc" },
  { protocol: "grpc-web", httpVersion: "1.1" },
  { protocol: "connect", useBinaryFormat: false, httpVersion: "1.1" },
];

function startLoad(baseUrl: string) {
  const transports = ways.map((way) => createTransport({ ...way, baseUrl }));
  const calls = transports.map((transport) => {
    const client = createClient(Greeter, transport);
    return async () => (await client.sayHello({ name: "you" })).message;
  });
  const headers = { "content-type": "application/json" };
  const rest = async () => {
    const { text } = await request(baseUrl, { path: "/v1/example/echo", headers, body: '{"name":"you"}' });
    return String(JSON.parse(text).message);
  };
  const loads = [...calls, rest].map((call) => new Load(call));
  const stop = async () => {
    await Promise.all(loads.map((load) => load.stop()));
    for (const transport of transports) transport.close();
    return loads;
  };
  return { stop };
}

describe("manywire proxy --config", () => {
  it("serves several upstreams, and tells what comes from which", async () => {
    await write("proxy.yaml", both());
    await using command = start();
    const url = await command.url();
    await command.until("the banner", () => command.stdout.includes("--host ::") || undefined);
    expect(command.stdout).toContain(`serves hello_world.Greeter, manywire.test.v1.TestService on ${url}\n`);
    expect(command.stdout).toContain(
      `  From upstreams:\n  ${greeter.url}  hello_world.Greeter, 2 REST routes\n  ${tests.url}  manywire.test.v1.TestService, 0 REST routes\n`,
    );
    const lines = command.log.filter(({ msg }) => msg === "serving an upstream");
    expect(lines.map(({ upstream, services, routes }) => [upstream, services, routes])).toEqual([
      [greeter.url, ["hello_world.Greeter"], 2],
      [tests.url, ["manywire.test.v1.TestService"], 0],
    ]);
    using test = openTest(url);
    expect((await test.client.unary({ text: "a" })).text).toBe("a");
  });

  it("stops with every fault of the file", async () => {
    await write("wrong.yaml", "upstreams:\n  - url: a\n    prtoo: b\n");
    const { exitCode, stderr } = await start("--config", join(folder, "wrong.yaml")).ended;
    const place = `error: ${join(folder, "wrong.yaml")}: line`;
    expect(stderr.split("\n")).toEqual([
      `${place} 2, column 10: upstreams[0].url: expected host:port, http://…, https://… or unix:/path, found "a"`,
      `${place} 3, column 5: upstreams[0]: unknown key "prtoo": did you mean "proto"?`,
      "",
    ]);
    expect(exitCode).toBe(2);
  });

  it("stops with every file that the configuration names and cannot be used", async () => {
    await write(
      "wrong.yaml",
      "upstreams:\n  - { url: a:1, schema: none }\n  - { url: https://b, tls: { ca: none } }\n",
    );
    const { exitCode, stderr } = await start("--config", join(folder, "wrong.yaml")).ended;
    const place = `error: ${join(folder, "wrong.yaml")}: line`;
    expect(stderr.split("\n")).toEqual([
      `${place} 2, column 25: upstreams[0].schema: ${join(folder, "none")}: no such file`,
      `${place} 3, column 34: upstreams[1].tls.ca: ${join(folder, "none")}: no such file`,
      "",
    ]);
    expect(exitCode).toBe(1);
  });

  it("takes settings of the file, and those of the command line before them", async () => {
    await write("proxy.yaml", `${greeterOnly()}port: 1\ndocs: off\nbanner: false\n`);
    await using command = start();
    const url = await command.url();
    expect((await request(url, { method: "GET", path: "/openapi.json" })).status).toBe(404);
    expect(command.stdout).toBe("");
  });
});

describe("a reload", () => {
  it("drops no call under load, with right and wrong files in turn", async () => {
    await write("proxy.yaml", greeterOnly());
    await using command = start("--log-level", "info", "--no-banner");
    const url = await command.url();
    using test = openTest(url);
    expect((await failureOf(test.client.unary({ text: "a" }))).code).toBe(Code.Unimplemented);
    const load = startLoad(url);
    const hangUp = async (text: string, message: string) => {
      const from = command.log.length;
      await write("proxy.yaml", text);
      command.signal("SIGHUP");
      return command.until(`the line "${message}"`, () =>
        command.log.slice(from).find(({ msg }) => [reloaded, failed].includes(msg)),
      );
    };
    for (let round = 1; round <= 4; round++) {
      expect(await hangUp(both(), reloaded)).toMatchObject({
        msg: reloaded,
        upstreamsAdded: [tests.url],
        servicesAdded: ["manywire.test.v1.TestService"],
      });
      expect((await test.client.unary({ text: `${round}` })).text).toBe(`${round}`);
      expect(await hangUp(`${both()}porrt: 1\n`, failed)).toMatchObject({
        msg: failed,
        reason: expect.stringMatching(/proxy\.yaml: line 4, column 1: unknown key "porrt": did you mean "port"\?$/),
      });
      expect(await hangUp("upstreams: [{ url: 127.0.0.1:1 }]", failed)).toMatchObject({ msg: failed });
      // New connections to the server that all calls go to.
      const changed = `${greeterOnly()}    readMaxBytes: ${1_000_000 + round}\n`;
      expect(await hangUp(changed, reloaded)).toMatchObject({
        msg: reloaded,
        upstreamsRemoved: [tests.url],
        upstreamsChanged: [greeter.url],
      });
      expect((await failureOf(test.client.unary({ text: "a" }))).code).toBe(Code.Unimplemented);
    }
    const loads = await load.stop();
    expect(loads.flatMap(({ failures }) => failures)).toEqual([]);
    expect(Math.min(...loads.map(({ calls }) => calls))).toBeGreaterThan(20);
    // The connections of removed upstreams are closed.
    await expect.poll(() => tests.sockets.size, { timeout: 10_000 }).toBe(0);
  }, 40_000);

  it("happens by itself when a watched file changes, and when it is back", async () => {
    await write("proxy.yaml", `watch: true\n${greeterOnly()}`);
    await using command = start("--no-banner");
    const url = await command.url();
    using test = openTest(url);
    await write("proxy.yaml", `watch: true\n${both()}port: 1\n`);
    await command.logged(reloaded);
    expect((await test.client.unary({ text: "watched" })).text).toBe("watched");
    await rm(join(folder, "proxy.yaml"));
    const path = join(folder, "proxy.yaml");
    expect(await command.logged(failed)).toMatchObject({ reason: `--config: ${path}: no such file` });
    expect((await test.client.unary({ text: "still" })).text).toBe("still");
    const from = command.log.length;
    await write("proxy.yaml", `watch: true\n${greeterOnly()}`);
    expect(await command.logged(reloaded, from)).toMatchObject({ upstreamsRemoved: [tests.url] });
  });

  it("reads rules again, and warns of what needs a restart", async () => {
    const rules = (path: string) =>
      JSON.stringify({ rules: [{ selector: "hello_world.Greeter.SayHello", get: path }] });
    await write("rules.yaml", rules("/v1/a"));
    await write("proxy.yaml", `${greeterOnly()}http-rules: rules.yaml\n`);
    await using command = start("--no-banner");
    const url = await command.url();
    const statusOf = async (path: string) => (await request(url, { method: "GET", path })).status;
    expect(await statusOf("/v1/a")).toBe(200);
    await write("rules.yaml", rules("/v1/b"));
    await write("proxy.yaml", `${greeterOnly()}http-rules: rules.yaml\nhost: 127.0.0.2\n`);
    command.signal("SIGHUP");
    expect(await command.logged(reloaded)).toMatchObject({ routesAdded: 1, routesRemoved: 1 });
    expect([await statusOf("/v1/a"), await statusOf("/v1/b")]).toEqual([404, 200]);
    expect(await command.logged("some settings change only with a restart")).toMatchObject({
      settings: [`${join(folder, "proxy.yaml")}: line 4, column 7: host`],
    });
    await write("rules.yaml", rules("/v1/{"));
    command.signal("SIGHUP");
    const { reason } = await command.logged(failed);
    expect(reason).toMatch(
      /line 3, column 13: http-rules: .*rules\.yaml: hello_world\.Greeter\.SayHello: http rule get/,
    );
    expect(await statusOf("/v1/b")).toBe(200);
  });
});

describe("--config and --upstream", () => {
  it.each<[argv: string[], stderr: RegExp]>([
    [["serve", "--config", "a"], /^error: --config: a: no such file\n$/],
    [["serve", "--config", "F/proxy.yaml"], /^error: --config: expected the command proxy or openapi to go with it\n$/],
    [["proxy", "--config", "none.yaml"], /^error: --config: none\.yaml: no such file\n$/],
    [["proxy", "--config", "F/proxy.yaml", "--proto", "a"], /^error: --proto: expected --upstream to go with it\n$/],
  ])("stop %j", async (argv, stderr) => {
    await write("proxy.yaml", greeterOnly());
    const words = argv.map((word) => word.replace("F/", `${folder}/`));
    expect((await new CommandProcess({ main: [stage.main], argv: words }).ended).stderr).toMatch(stderr);
  });

  it("serve the upstreams of the flag, with the settings of the file", async () => {
    await write("proxy.yaml", `${greeterOnly()}docs: off\n`);
    await using command = start("--upstream", tests.url);
    const url = await command.url();
    using test = openTest(url);
    expect((await test.client.unary({ text: "flag" })).text).toBe("flag");
    expect((await request(url, { method: "GET", path: "/openapi.json" })).status).toBe(404);
  });

  it("print the document of all upstreams", async () => {
    await write("proxy.yaml", both());
    const argv = ["openapi", "--config", join(folder, "proxy.yaml"), "--openapi-operations", "connect"];
    const { stdout } = await new CommandProcess({ main: [stage.main], argv }).ended;
    const paths = Object.keys(JSON.parse(stdout).paths);
    expect(paths).toEqual(
      expect.arrayContaining(["/hello_world.Greeter/SayHello", "/manywire.test.v1.TestService/Unary"]),
    );
  });
});
