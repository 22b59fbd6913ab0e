// A socket that a supervisor listens on, as systemd does for a `.socket` unit: real processes.
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readActivation } from "../../../server/command/activation.js";
import { CommandProcess } from "../../support/command-process.js";
import { request } from "../../support/http.js";
import { buildProcesses } from "../../support/process/build.js";

let main: string;

beforeAll(() => {
  main = join(buildProcesses(), "server/main.js");
}, 60_000);

/** Starts the command with the socket of a server, which then accepts nothing itself. */
function pass(server: Server, argv: readonly string[] = []): CommandProcess {
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  const command = new CommandProcess({ main: [main], argv: ["--log-level", "info", ...argv], socket: fd });
  server.close();
  return command;
}

const greet = { path: "/v1/example/echo", headers: { "content-type": "application/json" }, body: '{"name":"you"}' };

describe.each([1, 2])("with %i processes", (workers) => {
  it("serves the socket that it is passed, and drains", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await using command = pass(server, ["--workers", String(workers), "--port", "1"]);
    expect(await command.url()).toBe(`http://127.0.0.1:${port}`);
    for (const httpVersion of ["1.1", "2"] as const) {
      const { text } = await request(`http://127.0.0.1:${port}`, { ...greet, httpVersion });
      expect(JSON.parse(text)).toEqual({ message: "Hello, you!" });
    }
    command.signal("SIGTERM");
    expect((await command.ended).exitCode).toBe(0);
  });
});

it("serves a Unix socket that it is passed", async () => {
  const path = join(tmpdir(), `manywire-activation-${process.pid}.sock`);
  const server = createServer().listen(path);
  await once(server, "listening");
  await using command = pass(server);
  expect(await command.url()).toBe("fd:3");
});

describe("the variables of sd_listen_fds", () => {
  it.each([
    [{}, undefined],
    [{ LISTEN_FDS: "1" }, undefined],
    [{ LISTEN_FDS: "1", LISTEN_PID: "8" }, undefined],
    [{ LISTEN_FDS: "1", LISTEN_PID: "7" }, 3],
  ])("%o give process 7 the descriptor %s", (environment, fd) => {
    expect(readActivation(environment, 7)).toBe(fd);
  });

  it.each(["0", "2", "x", ""])("LISTEN_FDS=%s is an error", (count) => {
    const found = `LISTEN_FDS: expected 1 socket, found "${count}"`;
    expect(() => readActivation({ LISTEN_FDS: count, LISTEN_PID: "7" }, 7)).toThrow(found);
  });
});
