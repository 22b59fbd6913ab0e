// Several processes on one port, as a user has them: real processes, real signals.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandProcess } from "../../support/command-process.js";
import { type Connection, openConnection, request } from "../../support/http.js";
import { openCaller1, openCaller2 } from "../../support/load/callers.js";
import {
  connectCall,
  connectUploadCall,
  grpcCall,
  grpcDialogCall,
  restCall,
  webStreamCall,
} from "../../support/load/calls.js";
import { startLoad } from "../../support/load/load.js";
import { buildProcesses } from "../../support/process/build.js";
import { proxyHeader1 } from "../../support/proxy-header.js";
import { openRaw } from "../../support/raw-socket.js";

let build: string;
let folder: string;

beforeAll(async () => {
  build = buildProcesses();
  folder = await mkdtemp(join(tmpdir(), "manywire-workers-"));
}, 60_000);

afterAll(() => rm(folder, { recursive: true }));

const service = () => join(build, "test/support/process/worker-service.js");
const start = (argv: readonly string[] = [], env: Record<string, string> = {}) =>
  new CommandProcess({
    main: [join(build, "server/main.js")],
    argv: ["serve", service(), "--port", "0", "--workers", "2", "--log-level", "info", ...argv],
    env,
  });

const path = "/manywire.test.v1.TestService/Unary";
const headers = { "content-type": "application/json" };

async function call(connection: Pick<Connection, "request">, message: object): Promise<string> {
  const { text } = await connection.request({ path, headers, body: JSON.stringify(message) });
  return JSON.parse(text).text;
}

const askPid = (connection: Pick<Connection, "request">) => call(connection, { text: "pid" });

/** The processes that have served, by the log. */
const pidsOf = (command: CommandProcess) =>
  command.log.filter(({ msg }) => msg === "worker started").map(({ pid }) => String(pid));

const callersOf = (url: string) =>
  [grpcCall, connectCall, restCall, webStreamCall, connectUploadCall].flatMap((make) => [
    openCaller1(url, make),
    openCaller2(url, make),
    openCaller2(url, make),
  ]);

/** 15 callers with a call each in 50 ms: 300 calls a second. */
const intervalMs = 50;

describe("workers", () => {
  it("share connections evenly, log with their number, and tell of themselves once", async () => {
    await using command = start();
    const url = await command.url();
    const connections = Array.from({ length: 6 }, () => openConnection(url, "2"));
    const pids: string[] = [];
    for (const connection of connections) pids.push(await askPid(connection));
    for (const connection of connections) await connection[Symbol.asyncDispose]();
    const [one, other] = pidsOf(command);
    expect(pids.filter((pid) => pid === one)).toHaveLength(3);
    expect(pids.filter((pid) => pid === other)).toHaveLength(3);
    await command.until("6 calls", () => command.log.filter(({ msg }) => msg === "call").length === 6 || undefined);
    const calls = command.log.filter(({ msg }) => msg === "call");
    expect(new Set(calls.map(({ worker, pid }) => `${worker} ${pid}`))).toEqual(new Set([`1 ${one}`, `2 ${other}`]));
    expect(command.stdout.match(/serves manywire\.test\.v1\.TestService on/g)).toHaveLength(1);
    expect(command.log.filter(({ msg }) => msg === "listening")).toMatchObject([{ url, workers: 2 }]);
    command.signal("SIGTERM");
    expect(await command.ended).toMatchObject({ exitCode: 0, signal: null });
  });

  it("serve a Unix socket, and take its file with them", async () => {
    const socketPath = join(folder, "workers.sock");
    await using command = new CommandProcess({
      main: [join(build, "server/main.js")],
      argv: ["serve", service(), "--path", socketPath, "--workers", "2"],
    });
    expect(await command.url()).toBe(`unix:${socketPath}`);
    const pids = new Set<string>();
    for (let count = 0; count < 4; count++) {
      const call = http.request({ socketPath, path, method: "POST", headers, agent: false });
      call.end('{"text":"pid"}');
      const [response] = await once(call, "response");
      pids.add(JSON.parse(await text(response)).text);
    }
    expect(pids).toEqual(new Set(pidsOf(command)));
    command.signal("SIGTERM");
    expect(await command.ended).toMatchObject({ exitCode: 0 });
    expect(existsSync(socketPath)).toBe(false);
  });

  it("learn their clients from a proxy's PROXY headers", async () => {
    await using command = start(["--proxy-protocol", "--trust-proxy", "loopback"]);
    const url = await command.url();
    const body = '{"text":"pid"}';
    const head = `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const clients = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"];
    for (const client of clients) {
      await using raw = await openRaw(url);
      raw.write(Buffer.concat([proxyHeader1(client), Buffer.from(head + body)]));
      await raw.until(/"text":/);
    }
    const calls = () => command.log.filter(({ msg }) => msg === "call");
    await command.until("4 calls", () => calls().length === 4 || undefined);
    expect(calls().map(({ peer }) => peer)).toEqual(expect.arrayContaining(clients));
    expect(new Set(calls().map(({ worker }) => worker))).toEqual(new Set([1, 2]));
  });

  it("speak TLS", async () => {
    const pem = (name: string) => fileURLToPath(new URL(`../../support/certificates/${name}`, import.meta.url));
    await using command = start(["--tls-cert", pem("server.pem"), "--tls-key", pem("server-key.pem")]);
    const url = await command.url();
    for (const version of ["1.1", "2"] as const) {
      const pids = new Set<string>();
      for (let count = 0; count < 2; count++) {
        await using connection = openConnection(url, version);
        pids.add(await askPid(connection));
      }
      expect(pids, version).toEqual(new Set(pidsOf(command)));
    }
  });

  it("lose no call under 300 calls a second when SIGTERM ends them", async () => {
    await using command = start(["--log-level", "warn"]);
    // At this level the log has no URL; the banner has it.
    const url = await command.until("the banner", () => /on (http\S+)/.exec(command.stdout)?.[1]);
    const load = startLoad([...callersOf(url), openCaller2(url, grpcDialogCall)], intervalMs);
    await expect.poll(() => load.answered, { timeout: 10_000 }).toBeGreaterThan(300);
    command.signal("SIGTERM");
    const { turnedAway, lost } = await load.ended;
    expect(lost).toEqual([]);
    expect(turnedAway).toBeGreaterThan(0);
    expect(await command.ended).toMatchObject({ exitCode: 0, signal: null, stderr: "" });
  });

  it("are replaced by SIGHUP without a lost call under 300 calls a second", async () => {
    await using command = start();
    const url = await command.url();
    const load = startLoad([...callersOf(url), openCaller2(url, grpcDialogCall)], intervalMs, { goOn: true });
    await expect.poll(() => load.answered, { timeout: 10_000 }).toBeGreaterThan(100);
    const health = { failed: 0, served: 0 };
    const watching = setInterval(async () => {
      const { status } = await request(url, { method: "GET", path: "/readyz" });
      if (status === 200) health.served++;
      else health.failed++;
    }, 20);
    command.signal("SIGHUP");
    await command.logged("reloaded");
    await command.until(
      "the end of both",
      () => command.log.filter(({ msg }) => msg === "worker ended").length === 2 || undefined,
    );
    clearInterval(watching);
    const before = load.answered;
    await expect.poll(() => load.answered, { timeout: 10_000 }).toBeGreaterThan(before + 100);
    load.stop();
    expect((await load.ended).lost).toEqual([]);
    expect(health).toMatchObject({ failed: 0 });
    expect(health.served).toBeGreaterThan(10);
    const pids = pidsOf(command);
    expect(pids).toHaveLength(4);
    await using connection = openConnection(url, "2");
    expect(pids.slice(2)).toContain(await askPid(connection));
    command.signal("SIGTERM");
    expect(await command.ended).toMatchObject({ exitCode: 0 });
  });
});

describe("a worker", () => {
  it("that is killed loses its own calls alone, and is replaced", async () => {
    await using command = start();
    const url = await command.url();
    const connections = Array.from({ length: 4 }, () => openConnection(url, "2"));
    const pids: string[] = [];
    for (const connection of connections) pids.push(await askPid(connection));
    const [victim = ""] = pids;
    const calls = connections.map((connection) => call(connection, { text: "slow", waitMs: 500 }));
    const outcomes = Promise.allSettled(calls);
    process.kill(Number(victim), "SIGKILL");
    const expected = pids.map((pid) => (pid === victim ? "rejected" : "fulfilled"));
    expect((await outcomes).map(({ status }) => status)).toEqual(expected);
    expect(await command.logged("worker died")).toMatchObject({
      level: "error",
      signal: "SIGKILL",
      pid: Number(victim),
    });
    await expect.poll(() => pidsOf(command), { timeout: 10_000 }).toHaveLength(3);
    const [, , heir] = pidsOf(command);
    const seen = new Set<string>();
    for (let count = 0; count < 4; count++) {
      await using connection = openConnection(url, "2");
      seen.add(await askPid(connection));
    }
    expect(seen).toContain(heir);
    expect(seen).not.toContain(victim);
  });

  it("whose code throws finishes its calls, and is replaced", async () => {
    await using command = start();
    await using connection = openConnection(await command.url(), "2");
    const slow = call(connection, { text: "slow", waitMs: 300 });
    expect(await call(connection, { text: "crash", waitMs: 50 })).toBe("crash");
    expect(await slow).toBe("slow");
    expect(await command.logged("uncaught error")).toMatchObject({ err: { message: "boom" } });
    expect(await command.logged("worker died")).toMatchObject({ exitCode: 1 });
    await expect.poll(() => pidsOf(command), { timeout: 10_000 }).toHaveLength(3);
  });

  it("leaves signals to the primary, as a terminal and a supervisor send them to all", async () => {
    await using command = start();
    const url = await command.url();
    const pids = pidsOf(command);
    for (const pid of pids) for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.kill(Number(pid), signal);
    await using connection = openConnection(url, "2");
    expect(pids).toContain(await askPid(connection));
    for (const pid of pids) process.kill(Number(pid), "SIGINT");
    command.signal("SIGINT");
    expect(await command.ended).toMatchObject({ exitCode: 0, signal: null });
    expect(command.log.filter(({ msg }) => msg.startsWith("draining"))).toHaveLength(1);
    expect(command.log.filter(({ msg }) => msg === "worker ended")).toHaveLength(2);
  });
});

describe("a second signal", () => {
  it("ends all processes at once", async () => {
    await using command = start();
    await using connection = openConnection(await command.url(), "2");
    await askPid(connection);
    const slow = call(connection, { text: "slow", waitMs: 10_000 }).catch(() => "lost");
    command.signal("SIGTERM");
    await command.logged("draining; a second signal ends at once");
    command.signal("SIGINT");
    // Also the workers have closed standard output.
    expect(await command.ended).toMatchObject({ exitCode: 130, signal: null });
    expect(await slow).toBe("lost");
  });
});

describe("a start that fails", () => {
  const outcomeOf = async (argv: readonly string[]) => {
    await using command = new CommandProcess({ main: [join(build, "server/main.js")], argv });
    const { exitCode, stdout, stderr } = await command.ended;
    return { exitCode, stdout, stderr };
  };

  it.each([
    ["a module that is missing", ["serve", "none.js"]],
    ["a wrong limit", ["--headers-timeout", "2m", "--request-timeout", "1s"]],
    ["an address of another machine", ["--host", "192.0.2.1"]],
    ["a certificate without its key", ["--tls-cert", "none.pem"]],
  ])("ends as without workers: %s", async (_, argv) => {
    const alone = await outcomeOf(argv);
    expect(alone.stderr).toMatch(/^error: /);
    expect(await outcomeOf([...argv, "--workers", "2"])).toEqual(alone);
  });

  it("names the exit code of a worker that says nothing", async () => {
    const module = join(folder, "exits.mjs");
    await writeFile(module, "process.exit(3);");
    expect(await outcomeOf(["serve", module, "--workers", "2"])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "error: worker 1: ended with exit code 3 before it listened\n",
    });
  });
});

describe("SIGHUP", () => {
  it("changes nothing if a new worker cannot start, and reads all again if it can", async () => {
    const module = join(folder, "service.mjs");
    const write = (title: string) =>
      writeFile(
        module,
        `import own from ${JSON.stringify(service())}; export default { ...own, docs: { title: "${title}" } };`,
      );
    const titleOf = async (url: string) => {
      const { text } = await request(url, { method: "GET", path: "/openapi.json" });
      return JSON.parse(text).info.title;
    };
    await write("first");
    await using command = new CommandProcess({
      main: [join(build, "server/main.js")],
      argv: ["serve", module, "--port", "0", "--workers", "2"],
    });
    const url = await command.url();
    expect(await titleOf(url)).toBe("first");
    await writeFile(module, "throw new Error('no database');");
    command.signal("SIGHUP");
    const line = await command.logged("not reloaded; workers that are left stay as they are");
    expect(line).toMatchObject({ level: "error", reason: expect.stringContaining("no database") });
    expect(await titleOf(url)).toBe("first");
    await write("second");
    command.signal("SIGHUP");
    await command.logged("reloaded");
    expect(await titleOf(url)).toBe("second");
    expect(await titleOf(url)).toBe("second");
    expect(pidsOf(command)).toHaveLength(4);
  });

  it("takes other certificates, and keeps the old ones if the new ones cannot be used", async () => {
    const install = async (name: "server" | "renewed") => {
      const source = fileURLToPath(new URL("../../support/certificates/", import.meta.url));
      await copyFile(join(source, `${name}.pem`), join(folder, "cert.pem"));
      await copyFile(join(source, `${name}-key.pem`), join(folder, "key.pem"));
    };
    await install("server");
    await using command = start(["--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem")]);
    const url = await command.url();
    await writeFile(join(folder, "cert.pem"), "none");
    command.signal("SIGHUP");
    const line = await command.logged("not reloaded; workers that are left stay as they are");
    expect(line).toMatchObject({ reason: expect.stringContaining("--tls-cert") });
    await install("renewed");
    command.signal("SIGHUP");
    await command.logged("reloaded");
    await using connection = openConnection(url, "2");
    expect(pidsOf(command).slice(2)).toContain(await askPid(connection));
  });

  it("is the end where nothing could be read again", async () => {
    await using command = new CommandProcess({
      main: [join(build, "server/main.js")],
      argv: ["--port", "0", "--workers", "2"],
    });
    await command.url();
    command.signal("SIGHUP");
    expect(await command.ended).toMatchObject({ exitCode: 0, signal: null });
  });
});
