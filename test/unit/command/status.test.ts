// `manywire status` of real processes.
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatStatus, type Status, sumReports } from "../../../server/command/status/status.js";
import { CommandProcess } from "../../support/command-process.js";
import { openConnection } from "../../support/http.js";
import { buildProcesses } from "../../support/process/build.js";

let build: string;
let folder: string;

beforeAll(async () => {
  build = buildProcesses();
  folder = await mkdtemp(join(tmpdir(), "manywire-status-"));
}, 60_000);

afterAll(() => rm(folder, { recursive: true }));

const command = (argv: readonly string[], env: Record<string, string> = {}) =>
  new CommandProcess({ main: [join(build, "server/main.js")], argv, env });

const serve = (control: string, ...argv: readonly string[]) =>
  command([
    "serve",
    join(build, "test/support/process/worker-service.js"),
    "--port",
    "0",
    "--control",
    control,
    ...argv,
  ]);

async function ask(control: string, ...flags: readonly string[]) {
  await using asking = command(["status", "--control", control, ...flags]);
  const { exitCode, stdout, stderr } = await asking.ended;
  return { exitCode, stdout, stderr };
}

async function statusOf(control: string): Promise<Status> {
  return JSON.parse((await ask(control, "--json")).stdout);
}

const path = "/manywire.test.v1.TestService/Unary";
const headers = { "content-type": "application/json" };

describe("the status", () => {
  it("of one process has its connections and calls, and nothing is left of it afterwards", async () => {
    const control = join(folder, "one.sock");
    await using server = serve(control);
    const url = await server.url();
    await using connection = openConnection(url, "2");
    const call = connection.request({ path, headers, body: '{"text":"slow","waitMs":60000}' }).catch(() => {});
    await expect.poll(() => statusOf(control), { timeout: 10_000 }).toMatchObject({ activeCalls: 1 });
    const status = await statusOf(control);
    expect(status).toEqual({
      version: expect.any(String),
      pid: expect.any(Number),
      uptimeSeconds: expect.any(Number),
      url,
      health: "SERVING",
      connections: 1,
      activeCalls: 1,
      upstreams: [],
      workers: [],
    });
    expect((await stat(control)).mode & 0o777).toBe(0o600);
    expect(await ask(control)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`on ${url}: SERVING\n`) });
    server.signal("SIGTERM");
    await server.logged("draining; a second signal ends at once");
    expect(await ask(control)).toMatchObject({ exitCode: 4, stdout: expect.stringContaining("NOT_SERVING") });
    await connection[Symbol.asyncDispose]();
    await call;
    expect(await server.ended).toMatchObject({ exitCode: 0 });
    expect(existsSync(control)).toBe(false);
  });

  it("of workers has each of them, and their sum", async () => {
    const control = join(folder, "two.sock");
    await using server = serve(control, "--workers", "2");
    const url = await server.url();
    const connections = [1, 2, 3].map(() => openConnection(url, "2"));
    for (const connection of connections) await connection.request({ path, headers, body: "{}" });
    const before = await statusOf(control);
    expect(before).toMatchObject({ health: "SERVING", connections: 3, activeCalls: 0, url });
    const report = { health: "SERVING", activeCalls: 0, connections: expect.any(Number) };
    expect(before.workers).toEqual(
      [1, 2].map((worker) => ({
        ...{ worker, pid: expect.any(Number), uptimeSeconds: expect.any(Number), restarts: 0, report },
      })),
    );
    const [first] = before.workers;
    process.kill(Number(first?.pid), "SIGKILL");
    await expect
      .poll(() => statusOf(control), { timeout: 15_000 })
      .toMatchObject({ workers: [{ restarts: 1, report }, {}] });
    process.kill(Number(before.workers[1]?.pid), "SIGSTOP");
    const stopped = await statusOf(control);
    process.kill(Number(before.workers[1]?.pid), "SIGCONT");
    expect(stopped.workers[1]).toMatchObject({ restarts: 0, report: null });
    expect(stopped.health).toBe("SERVING");
    for (const connection of connections) await connection[Symbol.asyncDispose]();
    server.signal("SIGTERM");
    expect(await server.ended).toMatchObject({ exitCode: 0 });
    expect(existsSync(control)).toBe(false);
  });

  it("is there again after a process that was killed, and is another's if it is in use", async () => {
    const control = join(folder, "stale.sock");
    {
      await using server = serve(control);
      await server.url();
      server.signal("SIGKILL");
      await server.exited;
    }
    expect(existsSync(control)).toBe(true);
    expect(await ask(control)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `error: ${control}: no process listens on this socket any more\n`,
    });
    await using server = serve(control);
    const url = await server.url();
    expect(await statusOf(control)).toMatchObject({ url });
    for (const more of [[], ["--workers", "2"]]) {
      await using other = serve(control, ...more);
      expect(await other.ended).toMatchObject({
        exitCode: 1,
        stderr: `error: --control: unix:${control}: already in use\n`,
      });
    }
    expect(await statusOf(control)).toMatchObject({ url });
  });

  it("needs the path of the socket, also by its variable", async () => {
    const control = join(folder, "none.sock");
    await using without = command(["status"]);
    expect(await without.ended).toMatchObject({
      exitCode: 1,
      stderr: "error: --control: expected the socket that the server was started with\n",
    });
    await using absent = command(["status"], { MANYWIRE_CONTROL: control });
    expect(await absent.ended).toMatchObject({
      exitCode: 2,
      stderr: `error: ${control}: no such socket; is the server running, with --control?\n`,
    });
  });

  it("goes away with a start that fails", async () => {
    const control = join(folder, "failed.sock");
    for (const more of [[], ["--workers", "2"]]) {
      await using server = command(["--host", "192.0.2.1", "--control", control, ...more]);
      expect(await server.ended).toMatchObject({ exitCode: 1 });
      expect(existsSync(control)).toBe(false);
    }
  });
});

const report = { health: "SERVING", connections: 2, activeCalls: 1 } as const;

describe("the sum", () => {
  it("serves while one process does", () => {
    const draining = { ...report, health: "NOT_SERVING", upstreams: [] } as const;
    expect(sumReports([draining, { ...report, upstreams: [] }])).toEqual({
      health: "SERVING",
      connections: 4,
      activeCalls: 2,
      upstreams: [],
    });
    expect(sumReports([draining]).health).toBe("NOT_SERVING");
    expect(sumReports([]).health).toBe("NOT_SERVING");
  });
});

describe("the text", () => {
  it("has a table of workers", () => {
    const status: Status = {
      version: "1.2.3",
      pid: 10,
      uptimeSeconds: 7384,
      url: "http://127.0.0.1:1",
      ...report,
      upstreams: [
        { url: "a:1", services: ["a.A", "a.B"], problem: null },
        { url: "b:1", services: [], problem: "b:1: no connection" },
      ],
      workers: [
        { worker: 1, pid: 11, uptimeSeconds: 125, restarts: 0, report },
        { worker: 2, pid: 1200, uptimeSeconds: 3, restarts: 12, report: null },
        { worker: 3, pid: null, uptimeSeconds: 0, restarts: 1, report: null },
      ],
    };
    expect(formatStatus(status)).toBe(`manywire 1.2.3 on http://127.0.0.1:1: SERVING
pid 10, up 2h 3m, 2 connections, 1 active calls
upstream a:1: a.A, a.B
upstream b:1: b:1: no connection
worker  pid   up     restarts  connections  active calls  health
1       11    2m 5s  0         2            1             SERVING
2       1200  3s     12        -            -             NO RESPONSE
3       -     -      1         -            -             DIED
`);
  });
});
