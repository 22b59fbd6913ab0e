// `--metrics` and `--metrics-port` of the command, for a service and for `manywire proxy`.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandProcess } from "../../support/command-process.js";
import { request } from "../../support/http.js";
import { type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;

beforeAll(async () => {
  stage = await stagePackage();
}, 60_000);

afterAll(() => stage[Symbol.asyncDispose]());

const start = (argv: string[], env: Record<string, string> = {}) =>
  new CommandProcess({ main: [stage.main], argv, env });

const get = (url: string, path = "/metrics") => request(url, { method: "GET", path });
const echo = { path: "/v1/example/echo", headers: { "content-type": "application/json" }, body: '{"name":"you"}' };
const counted =
  'grpc_server_handled_total{grpc_type="unary",grpc_service="hello_world.Greeter",grpc_method="SayHello",protocol="rest",grpc_code="OK"}';

/** The address of the port for metrics. */
async function metricsUrl(command: CommandProcess): Promise<string> {
  const line = await command.logged("serving metrics");
  return new URL(String(line.url)).origin;
}

describe("--metrics", () => {
  it.each<[string, string[], Record<string, string>]>([
    ["the flag", ["--metrics"], {}],
    ["the variable", [], { MANYWIRE_METRICS: "true" }],
  ])("serves metrics on the same port, by %s", async (_, argv, env) => {
    await using command = start(["--port", "0", ...argv], env);
    const url = await command.url();
    await request(url, echo);
    const { status, text } = await get(url);
    expect(status).toBe(200);
    expect(text).toContain(`${counted} 1\n`);
    expect(text).toContain("process_cpu_seconds_total ");
    expect((await request(url, { method: "POST", path: "/metrics", body: "" })).status).toBe(405);
    expect((await get(url, "/none")).status).toBe(404);
  });

  it("is off by default", async () => {
    await using command = start(["--port", "0"]);
    expect((await get(await command.url())).status).toBe(404);
  });

  it("leaves other paths to the fallback of the service", async () => {
    const service = join(stage.folder, "with-fallback.js");
    await writeFile(
      service,
      'export default { routes() {}, fallback: ({ url }) => new Response("own " + new URL(url).pathname) };\n',
    );
    await using command = start(["serve", service, "--port", "0", "--metrics"]);
    const url = await command.url();
    expect((await get(url, "/page")).text).toBe("own /page");
    expect((await get(url)).text).toContain("manywire_connections{");
  });
});

describe("--metrics-port", () => {
  it("serves metrics on a port of its own, and not on the other", async () => {
    await using command = start(["--port", "0", "--metrics-port", "0"]);
    const url = await command.url();
    const metrics = await metricsUrl(command);
    expect(new URL(metrics).hostname).toBe("127.0.0.1");
    await request(url, echo);
    expect((await get(metrics)).text).toContain(`${counted} 1\n`);
    expect((await get(url)).status).toBe(404);
    const other = await get(metrics, "/");
    expect([other.status, other.text]).toEqual([404, "not found: see /metrics\n"]);
  });

  it("still serves while the server drains, and then ends", async () => {
    await using command = start(["--port", "0", "--metrics-port", "0", "--drain-delay", "1s"]);
    await command.url();
    const metrics = await metricsUrl(command);
    command.signal("SIGTERM");
    await command.logged("draining; a second signal ends at once");
    expect((await get(metrics)).status).toBe(200);
    expect(await command.ended).toMatchObject({ exitCode: 0 });
  });

  it("has the metrics of upstreams for the proxy, by its configuration file", async () => {
    await using upstream = start(["--port", "0"]);
    const address = new URL(await upstream.url()).host;
    const file = join(stage.folder, "metrics.yaml");
    await writeFile(file, `port: 0\nmetrics-port: 0\nupstreams:\n  - url: ${address}\n`);
    await using proxy = start(["proxy", "--config", file]);
    await request(await proxy.url(), echo);
    const { text } = await get(await metricsUrl(proxy));
    expect(text).toContain(`manywire_upstream_handled_total{upstream="${address}",grpc_code="OK"} 1\n`);
    expect(text).toContain(`manywire_upstream_connections{upstream="${address}"} 1\n`);
  });
});

describe("with --workers", () => {
  const workers = ["--port", "0", "--workers", "2"];
  const callOften = async (url: string, count: number) => {
    for (let index = 0; index < count; index++) await request(url, echo);
  };

  it("the metrics are those of all workers, whichever serves them", async () => {
    await using command = start([...workers, "--metrics", "--metrics-port", "0"]);
    const url = await command.url();
    await callOften(url, 6);
    expect((await get(await metricsUrl(command))).text).toContain(`${counted} 6\n`);
    expect((await get(url)).text).toContain(`${counted} 6\n`);
    expect((await get(url)).text).toContain(`${counted} 6\n`);
  });

  it("counters keep what workers have counted that have ended", async () => {
    await using command = start([...workers, "--metrics-port", "0"]);
    const url = await command.url();
    const metrics = await metricsUrl(command);
    await callOften(url, 6);
    expect((await get(metrics)).text).toContain(`${counted} 6\n`);
    process.kill(Number(command.log.find(({ msg }) => msg === "worker started")?.pid), "SIGKILL");
    await command.logged("worker died");
    await expect
      .poll(() => command.log.filter(({ msg }) => msg === "worker started").length, { timeout: 15_000 })
      .toBe(3);
    expect((await get(metrics)).text).toContain(`${counted} 6\n`);
    await callOften(url, 2);
    expect((await get(metrics)).text).toContain(`${counted} 8\n`);
  });
});

describe("settings that cannot be used", () => {
  it("stop the start, before the server listens", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port } = busy.address() as AddressInfo;
    const taken = await start(["--port", "0", "--metrics-port", String(port)]).ended;
    busy.close();
    expect([taken.exitCode, taken.stderr]).toEqual([1, expect.stringMatching(/^error: --metrics-port: .*:\d+: .*use/)]);
    const lonely = await start(["--metrics-host", "::"]).ended;
    expect([lonely.exitCode, lonely.stderr]).toEqual([
      2,
      "error: --metrics-host: expected --metrics-port to go with it\n",
    ]);
  });

  it.each([["--metrics"], ["--metrics-port", "0"]])("say that prom-client is missing: %s", async (...argv) => {
    const main = ["--import", withoutPromClient, stage.main];
    await using command = new CommandProcess({ main, argv: [...argv, "--port", "0"] });
    const { exitCode, stderr } = await command.ended;
    expect([exitCode, stderr]).toEqual([
      1,
      `error: ${argv[0]}: expected the package prom-client, found none; npm install prom-client\n`,
    ]);
  });
});

const dataUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;

/** A module that makes Node find no prom-client. */
const withoutPromClient = dataUrl(`
import { register } from "node:module";
register(${JSON.stringify(
  dataUrl(`
export function resolve(name, context, next) {
  if (name !== "prom-client") return next(name, context);
  throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
}`),
)});
`);
