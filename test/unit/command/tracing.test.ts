// `--tracing`, in processes with an SDK of OpenTelemetry, without one, and without the package.
import { SpanKind } from "@opentelemetry/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandProcess } from "../../support/command-process.js";
import { request } from "../../support/http.js";
import { type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await stagePackage();
}, 60_000);
afterAll(() => stage[Symbol.asyncDispose]());

const fixture = (name: string) => ["--import", new URL(`../../support/process/${name}`, import.meta.url).href];
const sdk = fixture("opentelemetry.js");

const start = (node: readonly string[], ...argv: string[]) =>
  new CommandProcess({ main: [...node, stage.main], argv: [...argv, "--port", "0"] });

const path = "/hello_world.Greeter/SayHello";
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const headers = { "content-type": "application/json", traceparent: `00-${traceId}-00f067aa0ba902b7-01` };

/** Ends the process, and returns the spans that it has printed. */
async function spansOf(command: CommandProcess): Promise<unknown[]> {
  command.signal("SIGTERM");
  const { stdout } = await command.ended;
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line));
}

describe("--tracing", () => {
  it("traces own calls and forwarded ones with the SDK that the process has loaded", async () => {
    await using upstream = start(sdk, "--tracing");
    await using proxy = start(sdk, "proxy", "--upstream", await upstream.url(), "--tracing");
    expect((await request(await proxy.url(), { path, headers, body: '{"name":"you"}' })).status).toBe(200);
    const name = path.slice(1);
    expect(await spansOf(proxy)).toEqual([
      { name, kind: SpanKind.CLIENT, traceId },
      { name, kind: SpanKind.SERVER, traceId },
    ]);
    const own = (await spansOf(upstream)).filter((span) => (span as { name: string }).name === name);
    expect(own).toEqual([{ name, kind: SpanKind.SERVER, traceId }]);
  });

  it("warns if no SDK is registered, and serves all the same", async () => {
    await using command = start([], "--tracing");
    expect((await request(await command.url(), { path, headers, body: "{}" })).status).toBe(200);
    expect(command.log.filter(({ level }) => level === "warn").map(({ msg }) => msg)).toEqual([
      "--tracing: no OpenTelemetry SDK is registered; load one with NODE_OPTIONS=--import",
    ]);
  });

  it("does not start without the package", async () => {
    await using command = start(fixture("without-opentelemetry.js"), "--tracing");
    expect(await command.ended).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: "error: --tracing: expected the package @opentelemetry/api, found none; npm install @opentelemetry/api\n",
    });
  });

  it("is not needed: without it, the package is not looked for", async () => {
    await using command = start(fixture("without-opentelemetry.js"));
    expect((await request(await command.url(), { path, headers, body: "{}" })).status).toBe(200);
  });
});
