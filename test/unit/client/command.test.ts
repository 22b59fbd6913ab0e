import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { runCommand } from "../../../client/command.js";
import packageJson from "../../../package.json" with { type: "json" };
import { certificatePath, keyPath, type ServerOptions, startServer, type TestServer } from "./server.js";

const answers = "SayHello received: Hello, you!\nSayHelloAgain received: Hello, you Again!\n";

interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

async function outcomeOf(...argv: string[]): Promise<Outcome> {
  const outcome: Outcome = { exitCode: -1, stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr") => ({
    write(text: string) {
      outcome[name] += text;
    },
  });
  outcome.exitCode = await runCommand(argv, { stdout: into("stdout"), stderr: into("stderr") });
  return outcome;
}

async function start(options: ServerOptions): Promise<TestServer> {
  const server = await startServer(options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A port on which no process listens any more. */
async function findClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

afterEach(() => vi.unstubAllEnvs());

describe("the command", () => {
  it.each([
    { flags: [], httpVersion: "2", contentType: "application/proto" },
    { flags: ["--json"], httpVersion: "2", contentType: "application/json" },
    { flags: ["--json=false"], httpVersion: "2", contentType: "application/proto" },
    { flags: ["--http", "1.1"], httpVersion: "1.1", contentType: "application/proto" },
    { flags: ["--protocol", "grpc"], httpVersion: "2", contentType: "application/grpc+proto" },
    { flags: ["--protocol", "grpc", "--json"], httpVersion: "2", contentType: "application/grpc+json" },
    { flags: ["--protocol", "grpc-web"], httpVersion: "2", contentType: "application/grpc-web+proto" },
    {
      flags: ["--protocol", "grpc-web", "--http", "1.1", "--json"],
      httpVersion: "1.1",
      contentType: "application/grpc-web+json",
    },
  ] as const)(
    "with $flags prints both answers, called as $contentType",
    async ({ flags, httpVersion, contentType }) => {
      const server = await start({ httpVersion });
      const outcome = await outcomeOf("--url", server.url, ...flags);
      expect(outcome).toEqual({ exitCode: 0, stdout: answers, stderr: "" });
      expect(server.requests.map((request) => [request.path, request.contentType])).toEqual([
        ["/hello_world.Greeter/SayHello", contentType],
        ["/hello_world.Greeter/SayHelloAgain", contentType],
      ]);
    },
  );

  it("greets by the name it is given", async () => {
    const server = await start({ httpVersion: "2" });
    const { stdout } = await outcomeOf("--url", server.url, "--name", "Zoë");
    expect(stdout).toBe("SayHello received: Hello, Zoë!\nSayHelloAgain received: Hello, Zoë Again!\n");
  });

  it.each(["1.1", "2"] as const)("calls over TLS and shows its certificate, over HTTP/%s", async (httpVersion) => {
    const { url } = await start({ httpVersion, isTls: true, isMutual: true });
    const tls = ["--tls-ca", certificatePath, "--tls-cert", certificatePath, "--tls-key", keyPath];
    expect(await outcomeOf("--url", url, "--http", httpVersion, ...tls)).toMatchObject({ exitCode: 0, stderr: "" });
  });

  it("takes every flag from the environment, and prefers the command line", async () => {
    const server = await start({ httpVersion: "1.1", isTls: true, isMutual: true });
    const environment = {
      PROTOCOL: "grpc-web",
      URL: server.url,
      NAME: "nobody",
      JSON: "true",
      CODE_GENERATION: "false",
      HTTP: "1.1",
      TLS_CA: certificatePath,
      TLS_CERT: certificatePath,
      TLS_KEY: keyPath,
      TIMEOUT: "5000",
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(`MANYWIRE_CLIENT_${name}`, value);
    expect(await outcomeOf("--name", "you")).toEqual({ exitCode: 0, stdout: answers, stderr: "" });
    expect(server.requests[0]?.contentType).toBe("application/grpc-web+json");
    const { stdout } = await outcomeOf("--help");
    const documented = stdout.match(/(?<=MANYWIRE_CLIENT_)\w+/g);
    expect(documented).toEqual(Object.keys(environment));
  });

  it("names a wrong environment variable", async () => {
    vi.stubEnv("MANYWIRE_CLIENT_JSON", "1");
    expect((await outcomeOf()).stderr).toBe(
      "error: option '--json [boolean]' value '1' from env 'MANYWIRE_CLIENT_JSON' is invalid. Expected true or false.\n",
    );
  });

  it("prints the package's version", async () => {
    expect(await outcomeOf("--version")).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: "" });
  });

  const here = fileURLToPath(import.meta.url);
  it.each<[string[], number, string]>([
    [["--bogus"], 2, "error: unknown option '--bogus'"],
    [["--nmae", "you"], 2, "error: unknown option '--nmae' (Did you mean --name?)"],
    [["you"], 2, "error: too many arguments. Expected 0 arguments but got 1."],
    [["--name"], 2, "error: option '--name <name>' argument missing"],
    [
      ["--protocol", "soap"],
      2,
      "error: option '--protocol <name>' argument 'soap' is invalid. Allowed choices are connect, grpc, grpc-web, rest.",
    ],
    [["--http", "3"], 2, "error: option '--http <version>' argument '3' is invalid. Allowed choices are 1.1, 2."],
    [
      ["--protocol", "grpc", "--http", "1.1"],
      2,
      "error: --http: expected 2, the only version that gRPC runs on, found 1.1",
    ],
    [["--url", "h:1"], 2, 'error: --url: expected an http:, https: or unix: URL, found "h:1"'],
    [["--url", "http://me:secret@h"], 2, "error: --url: expected no user or password, which belong in a header"],
    ...["0", "-1", "1.5", "soon", ""].map((text): [string[], number, string] => [
      [`--timeout=${text}`],
      2,
      `error: option '--timeout <ms>' argument '${text}' is invalid. Expected a whole number of milliseconds, at least 1.`,
    ]),
    [["--tls-cert", certificatePath], 2, "error: --tls-cert, --tls-key: expected both or neither, found one"],
    [
      ["--tls-ca", certificatePath, "--url", "http://h"],
      2,
      "error: --tls-ca, --tls-cert, --tls-key: expected an https: URL to go with it, found a plaintext one",
    ],
    [["--tls-ca", "/no/such"], 1, "error: --tls-ca: /no/such: no such file"],
    [["--tls-ca", here], 1, `error: --tls-ca: ${here}: expected a certificate in PEM`],
  ])("%j ends with exit code %i and one line", async (argv, exitCode, line) => {
    expect(await outcomeOf(...argv)).toEqual({ exitCode, stdout: "", stderr: `${line}\n` });
  });

  it.each(["1.1", "2"])("says in one line that no server is there, over HTTP/%s", async (httpVersion) => {
    const url = `http://127.0.0.1:${await findClosedPort()}`;
    const stderr = `error: ${url}: [unavailable] connect ECONNREFUSED ${url.slice("http://".length)}\n`;
    expect(await outcomeOf("--url", url, "--http", httpVersion)).toEqual({ exitCode: 1, stdout: "", stderr });
  });

  it.each([
    { speaks: "1.1", isTls: false, asked: "2", cause: "[internal] the server does not speak HTTP/2" },
    { speaks: "2", isTls: true, asked: "2", cause: "[internal] self-signed certificate" },
    { speaks: "1.1", isTls: true, asked: "1.1", cause: "[internal] self-signed certificate" },
  ] as const)("says in one line that HTTP/$speaks with TLS $isTls is not what it can call", async (row) => {
    const { url } = await start({ httpVersion: row.speaks, isTls: row.isTls });
    const { stderr, ...rest } = await outcomeOf("--url", url, "--http", row.asked);
    expect(rest).toEqual({ exitCode: 1, stdout: "" });
    // Node 24 adds advice of its own.
    expect(stderr.replace(/;.*/, "")).toBe(`error: ${url}: ${row.cause}\n`);
  });

  it("fails at its deadline if the server is silent, and closes its connection", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    const gone = new Promise((resolve) => {
      silent.on("connection", (socket) =>
        socket
          .resume()
          .on("error", () => {})
          .on("close", resolve),
      );
    });
    await new Promise((resolve) => silent.on("listening", resolve));
    const address = silent.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const url = `http://127.0.0.1:${address.port}`;
    const stderr = `error: ${url}: [deadline_exceeded] the operation timed out\n`;
    expect(await outcomeOf("--url", url, "--timeout", "50")).toEqual({ exitCode: 1, stdout: "", stderr });
    await gone;
  });
});
