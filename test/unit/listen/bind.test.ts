import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { formatUrl, type ListenAddress, ListenError } from "../../../server/listen/bind.js";
import { createListener } from "../../../server/listen/listener.js";
import { request } from "../../support/http.js";
import { echo, startListener } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "manywire-bind-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bound: AddressInfo = { address: "127.0.0.1", family: "IPv4", port: 4321 };

test.each<[ListenAddress, AddressInfo | string | null, boolean, string]>([
  [{ host: "127.0.0.1", port: 50051 }, null, false, "http://127.0.0.1:50051"],
  [{ host: "127.0.0.1", port: 0 }, bound, false, "http://127.0.0.1:4321"],
  [{ host: "localhost", port: 50051 }, null, true, "https://localhost:50051"],
  [{ host: "::", port: 50051 }, null, false, "http://[::]:50051"],
  [{ host: "::1", port: 0 }, bound, true, "https://[::1]:4321"],
  [{ path: "/run/greeter.sock" }, "/run/greeter.sock", false, "unix:/run/greeter.sock"],
  [{ fd: 3 }, bound, true, "https://127.0.0.1:4321"],
  [{ fd: 3 }, null, false, "fd:3"],
])("the address %o, bound as %o, with TLS %s, has the URL %s", (address, bound, isSecure, url) => {
  expect(formatUrl(address, bound, isSecure)).toBe(url);
});

/** What listening there is rejected with. */
async function errorOf(address: ListenAddress): Promise<Record<string, unknown>> {
  const listener = createListener({ address, handler: echo });
  const error = await listener.listen().then(
    () => "listens",
    (error: unknown) => error,
  );
  listener.destroy();
  await listener.closed;
  expect(error).toBeInstanceOf(ListenError);
  const { message, code, cause } = error as ListenError;
  expect(cause).toBeInstanceOf(Error);
  return { message, code };
}

describe("listening is rejected, by an error that names the address,", () => {
  test("where something listens", async () => {
    await using server = await startListener();
    const port = Number(new URL(server.url).port);
    expect(await errorOf({ host: "127.0.0.1", port })).toEqual({
      message: `127.0.0.1:${port}: already in use`,
      code: "EADDRINUSE",
    });
  });

  test.each<[ListenAddress, string, string]>([
    [{ host: "203.0.113.1", port: 1 }, "EADDRNOTAVAIL", "203.0.113.1:1: not an address of this machine"],
    [{ host: "127.0.0.1", port: 70_000 }, "ERR_SOCKET_BAD_PORT", "127.0.0.1:70000: expected a port from 0 to 65535"],
    [{ host: "::1", port: -1 }, "ERR_SOCKET_BAD_PORT", "[::1]:-1: expected a port from 0 to 65535"],
    [{ path: "/no/folder" }, "EACCES", "unix:/no/folder: no such folder"],
    [{ fd: 9999 }, "EINVAL", "fd:9999: expected a socket that listens"],
  ])("at %o by %s", async (address, code, message) => {
    expect(await errorOf(address)).toEqual({ message, code });
  });

  test.skipIf(process.getuid?.() === 0)(
    "at a path in a folder that it may not write in (root may in any)",
    async () => {
      chmodSync(folder, 0o500);
      onTestFinished(() => chmodSync(folder, 0o700));
      const path = join(folder, "a");
      expect((await errorOf({ path })).message).toBe(`unix:${path}: no permission to write in this folder`);
    },
  );

  test("at a path that is longer than the path of a socket may be", async () => {
    const path = join(folder, "a".repeat(108));
    expect(await errorOf({ path })).toEqual({
      message: `unix:${path}: too long for the path of a socket`,
      code: "EINVAL",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("after the listener was stopped", async () => {
    const listener = createListener({ address: { host: "127.0.0.1", port: 0 }, handler: echo });
    listener.stop();
    await expect(listener.listen()).rejects.toThrow("127.0.0.1:0: already stopped");
    await listener.closed;
  });
});

function callUnix(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = http.request({ socketPath, path: "/a", agent: false }, async (response) => {
      resolve((await buffer(response)).toString());
    });
    call.once("error", reject).end();
  });
}

describe("on a Unix socket", () => {
  test("requests get a response, and the file is removed with the listener", async () => {
    const path = join(folder, "a.sock");
    {
      await using server = await startListener({ address: { path } });
      expect(server.url).toBe(`unix:${path}`);
      expect(await callUnix(path)).toBe("GET /a 0");
    }
    expect(existsSync(path)).toBe(false);
  });

  test("the socket file of a dead process is replaced", async () => {
    const path = join(folder, "stale.sock");
    const script = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
    spawnSync(process.execPath, ["-e", script, path]);
    expect(existsSync(path)).toBe(true);
    await using _server = await startListener({ address: { path } });
    expect(await callUnix(path)).toBe("GET /a 0");
  });

  test("a socket that is in use stays", async () => {
    const path = join(folder, "live.sock");
    await using _server = await startListener({ address: { path } });
    expect(await errorOf({ path })).toEqual({ message: `unix:${path}: already in use`, code: "EADDRINUSE" });
    expect(await callUnix(path)).toBe("GET /a 0");
  });

  test("a file that is not a socket is kept", async () => {
    const path = join(folder, "file.sock");
    writeFileSync(path, "precious");
    expect(await errorOf({ path })).toEqual({ message: `unix:${path}: already in use`, code: "EADDRINUSE" });
    expect(existsSync(path)).toBe(true);
  });
});

test("several listeners live in one process", async () => {
  await using first = await startListener();
  await using second = await startListener();
  expect(second.url).not.toBe(first.url);
  for (const { url } of [first, second]) expect((await request(url, { path: "/a" })).text).toBe("POST /a 0");
});

test("a port is free again as soon as the listener is closed", async () => {
  const server = await startListener();
  const port = Number(new URL(server.url).port);
  await server[Symbol.asyncDispose]();
  const next = createServer();
  await new Promise<void>((resolve, reject) => next.once("error", reject).listen(port, "127.0.0.1", resolve));
  await new Promise((resolve) => next.close(resolve));
});
