import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import http, { type ClientRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { type PeerCertificate, type TLSSocket, connect as tlsConnect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authority } from "../../support/certificates.js";
import { CommandProcess } from "../../support/command-process.js";
import { type Http2Connection, openHttp2, request } from "../../support/http.js";
import { type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;
let folder: string;

const certificates = fileURLToPath(new URL("../../support/certificates/", import.meta.url));

/** Makes the process throw out of nowhere when SIGUSR2 comes, in one of the two ways in which that can be. */
const accidents = `
const throwIt = { exception() { throw new Error("boom"); }, rejection() { Promise.reject(new Error("boom")); } };
process.on("SIGUSR2", throwIt[process.env.ACCIDENT ?? "exception"]);
`;

beforeAll(async () => {
  stage = await stagePackage();
  folder = await mkdtemp(join(tmpdir(), "manywire-signals-"));
  await writeFile(join(folder, "accidents.mjs"), accidents);
}, 60_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
  await stage[Symbol.asyncDispose]();
});

const start = (argv: readonly string[] = [], env: Record<string, string> = {}) =>
  new CommandProcess({
    main: ["--import", join(folder, "accidents.mjs"), stage.main],
    argv: ["--port", "0", ...argv],
    env,
  });

const path = "/hello_world.Greeter/SayHello";
const headers = { "content-type": "application/json" };
const body = '{"name":"you"}';

/** A call that is active until its body is ended: `finish` ends it and returns the response. */
class OpenCall {
  readonly #request: ClientRequest;

  private constructor(request: ClientRequest) {
    this.#request = request;
  }

  /** Resolves when the server has the head of the request: it says so by a 100 (RFC 9110 section 10.1.1). */
  static async begin(url: string): Promise<OpenCall> {
    const options = { method: "POST", path, agent: false, headers: { ...headers, expect: "100-continue" } };
    const request = http.request(url, options);
    request.on("error", () => {});
    await once(request, "continue");
    return new OpenCall(request);
  }

  async finish(): Promise<string> {
    this.#request.end(body);
    const [response] = await once(this.#request, "response");
    return await text(response);
  }

  cut(): void {
    this.#request.destroy();
  }
}

const draining = "draining; a second signal ends at once";

describe("a signal to end", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("%s lets the call under way finish and exits with 0", async (signal) => {
    await using command = start();
    const call = await OpenCall.begin(await command.url());
    command.signal(signal);
    expect(await command.logged(draining)).toMatchObject({ level: "info", signal });
    expect(await call.finish()).toBe('{"message":"Hello, you!"}');
    expect(await command.ended).toMatchObject({ exitCode: 0, signal: null });
    expect(command.log.map(({ msg }) => msg)).toEqual(["listening", draining, "call", "drained"]);
  });

  it("ends calls that take longer than they may", async () => {
    await using command = start(["--drain-timeout", "50ms"]);
    const call = await OpenCall.begin(await command.url());
    command.signal("SIGTERM");
    expect(await command.ended).toMatchObject({ exitCode: 0, signal: null });
    expect(command.log.at(-2)).toMatchObject({ msg: "call", code: "unavailable" });
    call.cut();
  });

  it("serves calls for the drain delay", async () => {
    await using command = start(["--drain-delay", "300ms"]);
    const url = await command.url();
    command.signal("SIGTERM");
    await command.logged(draining);
    expect((await request(url, { method: "GET", path: "/readyz" })).status).toBe(503);
    expect((await request(url, { path, headers, body })).text).toBe('{"message":"Hello, you!"}');
    expect(await command.ended).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("that is repeated, as %s, exits at once with %i", async (signal, exitCode) => {
    await using command = start();
    const call = await OpenCall.begin(await command.url());
    command.signal("SIGTERM");
    await command.logged(draining);
    // Sooner it would be the same signal on its way through npm.
    await delay(250);
    command.signal(signal);
    expect(await command.ended).toMatchObject({ exitCode, signal: null });
    expect(command.log.at(-1)).toMatchObject({ level: "warn", signal, msg: "leaving at once" });
    call.cut();
  });

  it("is what a terminal that closes sends to a server without certificates", async () => {
    await using command = start();
    await command.url();
    command.signal("SIGHUP");
    expect(await command.ended).toMatchObject({ exitCode: 0, signal: null });
  });
});

describe("SIGHUP with certificates", () => {
  const install = async (name: "server" | "renewed") => {
    await copyFile(join(certificates, `${name}.pem`), join(folder, "cert.pem"));
    await copyFile(join(certificates, `${name}-key.pem`), join(folder, "key.pem"));
  };
  const startTls = () => start(["--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem")]);

  async function greet(connection: Http2Connection): Promise<string> {
    return (await connection.request({ path, headers, body })).text;
  }

  /** The common name of the certificate that a new connection is shown. */
  async function shownName(url: string): Promise<string> {
    const { hostname, port } = new URL(url);
    const socket: TLSSocket = tlsConnect({ host: hostname, port: Number(port), ca: authority });
    await once(socket, "secureConnect");
    const { subject }: PeerCertificate = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  }

  it("shows the new ones to new connections and keeps the open ones", async () => {
    await install("server");
    await using command = startTls();
    const url = await command.url();
    await using connection = await openHttp2(url);
    expect(await greet(connection)).toBe('{"message":"Hello, you!"}');
    expect(await shownName(url)).toBe("first.localhost");
    await install("renewed");
    command.signal("SIGHUP");
    expect(await command.logged("certificates read again")).toMatchObject({ level: "info" });
    expect(await greet(connection)).toBe('{"message":"Hello, you!"}');
    expect(await shownName(url)).toBe("renewed.localhost");
  });

  it("keeps the old ones where the new ones cannot be used, and takes better ones later", async () => {
    await install("server");
    await using command = startTls();
    const url = await command.url();
    await copyFile(join(certificates, "renewed.pem"), join(folder, "cert.pem"));
    command.signal("SIGHUP");
    const reason = `--tls-key: ${folder}/key.pem: not the key of the certificate ${folder}/cert.pem`;
    const line = await command.logged("certificates not read again; the old ones stay");
    expect(line).toMatchObject({ level: "error", reason });
    expect(await shownName(url)).toBe("first.localhost");
    await install("renewed");
    command.signal("SIGHUP");
    await command.logged("certificates read again");
    expect(await shownName(url)).toBe("renewed.localhost");
  });
});

describe("SIGHUP with keys", () => {
  it("lets in those with the new ones, and keeps the old ones where the file is wrong", async () => {
    const file = join(folder, "keys.yaml");
    const [before, after] = ["before-0123456789abcdef", "after-0123456789abcdef"];
    await writeFile(file, `robot: ${before}\n`);
    await using command = start(["--api-keys", file]);
    const url = await command.url();
    const statuses = () =>
      Promise.all(
        [before, after].map(async (key) => {
          const answer = await request(url, { path, headers: { ...headers, "x-api-key": key }, body });
          return answer.status;
        }),
      );
    expect(await statuses()).toEqual([200, 401]);
    await writeFile(file, "robot: short\n");
    command.signal("SIGHUP");
    const reason = '--api-keys: apiKeys: keys["robot"]: expected a key of 16 characters at least, found 5';
    const line = await command.logged("keys not read again; the old ones stay");
    expect(line).toMatchObject({ level: "error", reason });
    expect(await statuses()).toEqual([200, 401]);
    await writeFile(file, `robot: ${after}\n`);
    command.signal("SIGHUP");
    expect(await command.logged("keys read again")).toMatchObject({ level: "info" });
    expect(await statuses()).toEqual([401, 200]);
  });
});

describe("an uncaught error", () => {
  it.each([
    ["exception", "uncaughtException"],
    ["rejection", "unhandledRejection"],
  ])("as %s is logged with its stack, lets calls finish and exits with 1", async (accident, origin) => {
    await using command = start([], { ACCIDENT: accident });
    const call = await OpenCall.begin(await command.url());
    command.signal("SIGUSR2");
    const line = await command.logged("uncaught error");
    expect(line).toMatchObject({ level: "error", origin, err: { message: "boom" } });
    expect(line.err).toMatchObject({ stack: expect.stringContaining("accidents.mjs") });
    expect(await call.finish()).toBe('{"message":"Hello, you!"}');
    expect(await command.ended).toMatchObject({ exitCode: 1, signal: null });
    expect(command.log.at(-1)).toMatchObject({ msg: "drained" });
  });
});
