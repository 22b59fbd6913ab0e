import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createConnection } from "node:net";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { CommandProcess } from "../../support/command-process.js";
import { openHttp2, request } from "../../support/http.js";
import { type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;

beforeAll(async () => {
  stage = await stagePackage();
}, 60_000);

afterAll(() => stage[Symbol.asyncDispose]());

const start = (...argv: string[]) => new CommandProcess({ main: [stage.main], argv: ["--port", "0", ...argv] });

const path = "/hello_world.Greeter/SayHello";
const json = { "content-type": "application/json" };
const body = '{"name":"you"}';

async function end(command: CommandProcess) {
  command.signal("SIGTERM");
  return await command.ended;
}

describe("standard error", () => {
  it("has a JSON line for each call, and the last of them when the process has ended", async () => {
    await using command = start();
    const url = await command.url();
    await request(url, { path, headers: { ...json, "x-request-id": "mine" }, body });
    await request(url, { path, headers: { "content-type": "application/grpc-web+proto" }, body: "\0\0\0\0\0" });
    await request(url, { path, headers: json, body: "[]" });
    await end(command);
    const calls = command.log.filter(({ msg }) => msg === "call");
    const call = {
      ...{ level: "info", time: expect.any(String), method: path.slice(1), durationMs: expect.any(Number) },
      ...{ requestId: expect.any(String), peer: "127.0.0.1", bytesSent: expect.any(Number), msg: "call" },
    };
    expect(calls).toEqual([
      { ...call, protocol: "connect", code: "ok", bytesReceived: 14, requestId: "mine" },
      { ...call, protocol: "grpc-web", code: "ok", bytesReceived: 5 },
      { ...call, protocol: "connect", code: "invalid_argument", bytesReceived: 2 },
    ]);
    expect(command.stderr).toMatch(/"msg":"drained"\}\n$/);
  });

  it("loses no line of many calls", async () => {
    await using command = start();
    await using connection = await openHttp2(await command.url());
    const calls = Array.from({ length: 200 }, () => connection.request({ path, headers: json, body }));
    await Promise.all(calls);
    await end(command);
    expect(command.log.filter(({ msg }) => msg === "call").length).toBe(200);
  });

  it("holds up neither calls nor the end when it is not read, and has whole lines afterwards", async () => {
    await using command = start();
    const url = await command.url();
    await using connection = await openHttp2(url);
    command.pause("stderr");
    // More lines than the pipe takes.
    for (let count = 0; count < 20; count++) {
      const calls = Array.from({ length: 200 }, () => connection.request({ path, headers: json, body }));
      for (const { status } of await Promise.all(calls)) expect(status).toBe(200);
    }
    command.signal("SIGTERM");
    expect(await command.exited).toBe(0);
    command.resume("stderr");
    await command.ended;
    const last = command.stderr.lastIndexOf("\n");
    const lines = command.stderr.slice(0, last).split("\n");
    for (const line of lines) JSON.parse(line);
    expect(lines.length).toBeGreaterThan(200);
  });

  it.skipIf(!existsSync("/dev/full"))("may go where no room is left", async () => {
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [stage.main, "--port", "0"], { stdio: ["ignore", "pipe", full] });
    closeSync(full);
    onTestFinished(() => void child.kill("SIGKILL"));
    const [banner] = await once(child.stdout as Readable, "data");
    const url = /on (http:\S+)/.exec(String(banner))?.[1] ?? "";
    for (let count = 0; count < 3; count++) {
      expect((await request(url, { path, headers: json, body })).status).toBe(200);
    }
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("may lose its reader before an error is written", async () => {
    await using command = start("--port", "x");
    command.leave("stderr");
    expect(await command.exited).toBe(2);
  });

  it("has text instead of JSON if --log-format says so", async () => {
    await using command = start("--log-format", "pretty", "--no-banner");
    const url = await command.until("an URL", () => /"(http:\/\/[^"]+)"/.exec(command.stderr)?.[1]);
    await request(url, { path, headers: json, body });
    const { stderr } = await end(command);
    const lines = stderr.replaceAll(/\d\d:\d\d:\d\d/g, "TIME").replace(/[\d.]+ ms/, "N ms");
    expect(lines).toBe(
      `[TIME] INFO: listening {"url":"${url}"}\n` +
        "[TIME] INFO: hello_world.Greeter/SayHello connect ok N ms\n" +
        '[TIME] INFO: draining; a second signal ends at once {"signal":"SIGTERM"}\n' +
        "[TIME] INFO: drained\n",
    );
  });

  it("has lines of a share of the calls that end well, and of all that fail", async () => {
    await using command = start("--log-sample", "0");
    const url = await command.url();
    await request(url, { path, headers: json, body });
    await request(url, { path, headers: json, body: "[]" });
    await end(command);
    expect(command.log.filter(({ msg }) => msg === "call").map(({ code }) => code)).toEqual(["invalid_argument"]);
  });

  it("has no lines of calls above their level", async () => {
    await using command = start("--log-level", "warn");
    const url = await command.until("the banner", () => /on (http:\S+)/.exec(command.stdout)?.[1]);
    await request(url, { path, headers: json, body });
    expect(await end(command)).toMatchObject({ exitCode: 0, stderr: "" });
  });
});

describe("no output", () => {
  const secret = "s3cret";
  const secrets = { authorization: `Bearer ${secret}`, cookie: `session=${secret}`, "x-api-key": secret };
  const query = (message: string) => `${path}?connect=v1&encoding=json&message=${encodeURIComponent(message)}`;

  /** Bytes that are no request, on a socket of their own. */
  async function sendRaw(url: string, bytes: string): Promise<void> {
    const { hostname, port } = new URL(url);
    const socket = createConnection(Number(port), hostname).resume();
    socket.on("error", () => {});
    socket.end(bytes);
    await once(socket, "close");
  }

  it("at any level has credentials or bodies, however the request ends", async () => {
    const certificates = new URL("../../support/certificates/", import.meta.url);
    const key = fileURLToPath(new URL("server-key.pem", certificates));
    const certificate = fileURLToPath(new URL("server.pem", certificates));
    for (const tls of [[], ["--tls-cert", certificate, "--tls-key", key]]) {
      await using command = start("--log-level", "debug", ...tls);
      const url = await command.url();
      for (const httpVersion of ["1.1", "2"] as const) {
        const send = (path: string, headers: Record<string, string>, body?: string) =>
          request(url, { httpVersion, path, headers: { ...secrets, ...headers }, body });
        await send(path, json, `{"name":"${secret}"}`);
        await send(path, json, `{"${secret}":"${secret}"}`);
        await send(path, json, secret);
        await send(path, { ...json, "content-encoding": "gzip" }, secret);
        await send(path, { ...json, "content-encoding": secret }, secret);
        await send(path, { ...json, "connect-timeout-ms": secret }, body);
        await send(path, { "content-type": `application/${secret}` }, secret);
        await send(`/hello_world.Greeter/${secret}`, json, secret);
        await send(`/${secret}`, json, secret);
        await request(url, { httpVersion, method: "GET", path: query(`{"name":"${secret}"}`), headers: secrets });
        await request(url, { httpVersion, method: "GET", path: query(secret), headers: secrets });
      }
      await sendRaw(url, `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${secret}\r\n${secret} broken\r\n\r\n`);
      await sendRaw(url, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${secret.repeat(20)}`);
      const { stdout, stderr } = await end(command);
      expect(command.log.length).toBeGreaterThan(20);
      expect(`${stdout}${stderr}`).not.toContain(secret);
      expect(`${stdout}${stderr}`).not.toContain((await readFile(key, "utf8")).split("\n")[1]);
    }
  });
});
