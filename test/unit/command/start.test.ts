import { once } from "node:events";
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CommandProcess } from "../../support/command-process.js";
import { request } from "../../support/http.js";
import { type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;
/** Files for the command to read; `F/` stands for it in the tables. */
let folder: string;
const busy = createServer();
let busyPort: number;

const certificates = fileURLToPath(new URL("../../support/certificates/", import.meta.url));

beforeAll(async () => {
  stage = await stagePackage();
  folder = await mkdtemp(join(tmpdir(), "manywire-start-"));
  for (const name of ["server.pem", "server-key.pem", "renewed-key.pem", "authority.pem"]) {
    await copyFile(join(certificates, name), join(folder, name));
  }
  await writeFile(join(folder, "garbage.pem"), "-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n");
  await writeFile(join(folder, "plain.txt"), "a file, not a socket");
  for (const [name, text] of Object.entries(ruleFiles)) await writeFile(join(folder, name), text);
  busy.listen(0, "127.0.0.1");
  await once(busy, "listening");
  busyPort = (busy.address() as AddressInfo).port;
}, 60_000);

afterAll(async () => {
  busy.close();
  await rm(folder, { recursive: true });
  await stage[Symbol.asyncDispose]();
});

const fill = (text: string) => text.replaceAll("F/", `${folder}/`).replaceAll("BUSY", String(busyPort));

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const filled = Object.entries(env).map(([name, value]) => [name, fill(value)]);
  const main = [stage.main];
  await using command = new CommandProcess({ main, argv: argv.map(fill), env: Object.fromEntries(filled) });
  return await command.ended;
}

const pair = ["--tls-cert", "F/server.pem", "--tls-key", "F/server-key.pem"];

const ruleFiles = {
  "rules.yaml": `
type: google.api.Service
config_version: 3
http:
  fully_decode_reserved_expansion: true
  rules:
    - selector: hello_world.Greeter.SayHello
      get: /v2/hello/{name}
      additional_bindings:
        - post: /v2/hello
          body: "*"
    - selector: grpc.health.v1.Health.Check
      get: /v2/health
    - selector: google.longrunning.Operations.GetOperation
      get: /v2/{name=operations/**}
`,
  "rules.json": '{"rules":[{"selector":"hello_world.Greeter.SayHello","get":"/v2/hello/{name}"}]}',
  "broken.yaml": 'http:\n  rules: [{"selector": a, "selector": b}]\n\tx: 1\n',
  "wrong.yaml": `
http:
  rules:
    - selector: hello_world.Greeter.SayHello
      get: /v1/{name
    - selector: hello_world.Greeter.SayGoodbye
      get: /v1/goodbye
`,
};

type Failure = [argv: string[], env: Record<string, string>, line: string];

const wrongUsage: Failure[] = [
  [["--port", "x"], {}, '--port: expected a whole number from 0 to 65535, found "x"'],
  [[], { MANYWIRE_PORT: "x" }, 'MANYWIRE_PORT: expected a whole number from 0 to 65535, found "x"'],
  [["--prot", "1"], {}, "unknown option '--prot' (Did you mean one of --port, --proto?)"],
  [["--without-routes", "a.B.C"], {}, '--without-routes: expected the name of a method that is served, found "a.B.C"'],
  [
    ["--cors-origin", "localhost"],
    {},
    '--cors-origin: expected origins such as https://app.example.com or https://*.example.com, or *, found "localhost"',
  ],
  [["start"], {}, 'expected the command serve, proxy, openapi, init, call, describe, health or status, found "start"'],
  [["--request-timeout", "5s"], {}, "--request-timeout: expected 0 or at least --headers-timeout (15000), found 5000"],
  [
    ["--request-timeout", "5s"],
    { MANYWIRE_HEADERS_TIMEOUT: "6s" },
    "--request-timeout: expected 0 or at least MANYWIRE_HEADERS_TIMEOUT (6000), found 5000",
  ],
];

const unusable: Failure[] = [
  [["--port", "BUSY"], {}, "--port: 127.0.0.1:BUSY: already in use"],
  [[], { MANYWIRE_PORT: "BUSY" }, "MANYWIRE_PORT: 127.0.0.1:BUSY: already in use"],
  [["--host", "no-such-host.invalid"], {}, "--host: no-such-host.invalid:50051: host not found"],
  // An address for documentation (RFC 5737), which no machine has.
  [[], { MANYWIRE_HOST: "192.0.2.1" }, "MANYWIRE_HOST: 192.0.2.1:50051: not an address of this machine"],
  [["--path", "F/plain.txt"], {}, "--path: unix:F/plain.txt: already in use"],
  [["--path", "F/none/a"], {}, "--path: unix:F/none/a: no such folder"],
  [["--tls-cert", "F/server.pem"], {}, "--tls-cert: expected --tls-key to go with it"],
  [["--tls-key", "F/server-key.pem"], {}, "--tls-key: expected --tls-cert to go with it"],
  [[], { MANYWIRE_TLS_CLIENT_CA: "F/authority.pem" }, "MANYWIRE_TLS_CLIENT_CA: expected --tls-cert to go with it"],
  [["--tls-cert", "F/none.pem", "--tls-key", "F/server-key.pem"], {}, "--tls-cert: F/none.pem: no such file"],
  [["--tls-cert", "F/server.pem", "--tls-key", "F/"], {}, "--tls-key: F/: a folder, expected a file"],
  [
    ["--tls-cert", "F/garbage.pem", "--tls-key", "F/server-key.pem"],
    {},
    "--tls-cert: F/garbage.pem: expected a certificate in PEM",
  ],
  [
    ["--tls-cert", "F/server.pem", "--tls-key", "F/server.pem"],
    {},
    "--tls-key: F/server.pem: expected a private key in PEM, without a passphrase",
  ],
  [
    ["--tls-cert", "F/server.pem"],
    { MANYWIRE_TLS_KEY: "F/renewed-key.pem" },
    "MANYWIRE_TLS_KEY: F/renewed-key.pem: not the key of the certificate F/server.pem",
  ],
  [[...pair, "--tls-client-ca", "F/plain.txt"], {}, "--tls-client-ca: F/plain.txt: expected a certificate in PEM"],
];

const rules = (file: string) => ["--port", "0", "--http-rules", `F/${file}`];

unusable.push(
  [rules("none.yaml"), {}, "--http-rules: F/none.yaml: no such file"],
  [
    [],
    { MANYWIRE_HTTP_RULES: "F/plain.txt" },
    'MANYWIRE_HTTP_RULES: F/plain.txt: expected "http" with "rules", or "rules"',
  ],
  [
    rules("wrong.yaml"),
    {},
    [
      "--http-rules: F/wrong.yaml: hello_world.Greeter.SayGoodbye: http rule: expected the name of a method that is served, found no such method",
      '--http-rules: F/wrong.yaml: hello_world.Greeter.SayHello: http rule get "/v1/{name": column 10: expected "}" or "=", found end of template',
    ].join("\nerror: "),
  ],
  [
    rules("broken.yaml"),
    {},
    [
      "--http-rules: F/broken.yaml: line 2, column 27: Map keys must be unique",
      "--http-rules: F/broken.yaml: line 3, column 1: Tabs are not allowed as indentation",
    ].join("\nerror: "),
  ],
);

describe("a command that cannot start", () => {
  it.each(wrongUsage)("says so in one line and exits with 2: %j with %j", async (argv, env, line) => {
    expect(await run(argv, env)).toEqual({ exitCode: 2, signal: null, stdout: "", stderr: `error: ${line}\n` });
  });

  it.each(unusable)("says so in one line and exits with 1: %j with %j", async (argv, env, line) => {
    expect(await run(argv, env)).toEqual({ exitCode: 1, signal: null, stdout: "", stderr: `error: ${fill(line)}\n` });
  });

  it.skipIf(process.getuid?.() === 0)("names a key that it may not read (root may read any)", async () => {
    await chmod(join(folder, "renewed-key.pem"), 0);
    const { stderr } = await run(["--tls-cert", "F/server.pem", "--tls-key", "F/renewed-key.pem"]);
    expect(stderr).toBe(fill("error: --tls-key: F/renewed-key.pem: no permission to read it\n"));
  });
});

describe("a command that only prints", () => {
  it("exits with 0 after its version", async () => {
    const { version } = JSON.parse(await readFile(join(stage.folder, "package.json"), "utf8"));
    expect(await run(["--version"])).toEqual({ exitCode: 0, signal: null, stdout: `${version}\n`, stderr: "" });
  });

  it("exits with 0 after its help", async () => {
    const outcome = await run(["--help"]);
    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/^Usage: manywire \[options\] \[command\] \[module\]\n/);
  });

  it.each([
    [["openapi"], "{"],
    [["openapi", "--yaml"], `openapi: "3.1.1"`],
    [["openapi", "--docs", "off", "--path", "F/none.sock"], "{"],
  ])("exits with 0 after the API's description: %j", async (argv, beginning) => {
    const { exitCode, stdout, stderr } = await run(argv);
    expect([exitCode, stderr, stdout.split("\n")[0]]).toEqual([0, "", beginning]);
    // JSON is YAML, too.
    const { info, paths, tags } = parse(stdout);
    expect(info).toMatchObject({ title: "Greeter", license: { identifier: "Apache-2.0" } });
    expect(Object.keys(paths)).toContain("/v1/example/echo/{name}");
    expect(tags[0].description).toBe("Greets people by name.\n\nBy routes of `google.api.http`.");
  });
});

const start = (argv: readonly string[], env: Record<string, string> = {}) =>
  new CommandProcess({ main: [stage.main], argv: argv.map(fill), env });

const greeting = { path: "/hello_world.Greeter/SayHello", headers: { "content-type": "application/json" } };
const greet = (url: string) => request(url, { ...greeting, body: '{"name":"you"}' });

describe("a command that serves", () => {
  it.each([[[]], [["serve"]]])(
    "prints where and how to call it, logs that it listens, and answers: %j",
    async (words) => {
      await using command = start([...words, "--port", "0"]);
      const url = await command.url();
      expect((await greet(url)).text).toBe('{"message":"Hello, you!"}');
      const title = `serves hello_world.Greeter on ${url}\n`;
      await command.until("the banner", () => command.stdout.endsWith("\n\n") || undefined);
      expect(command.stdout).toContain(title);
      expect(command.stdout).toContain(`npm run client -- --url ${url}\n`);
    },
  );

  it("prints no banner with --no-banner", async () => {
    await using command = start(["--no-banner", "--port", "0"]);
    await command.url();
    command.signal("SIGTERM");
    expect(await command.ended).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("listens where the environment says", async () => {
    const path = join(folder, "greeter.sock");
    await using command = start([], { MANYWIRE_PATH: path });
    expect(await command.url()).toBe(`unix:${path}`);
  });

  it.each(["rules.yaml", "rules.json"])(
    "serves the routes of a file instead of the annotated ones: %s",
    async (file) => {
      await using command = start(rules(file));
      const url = await command.url();
      expect((await request(url, { method: "GET", path: "/v2/hello/you" })).text).toBe('{"message":"Hello, you!"}');
      expect((await request(url, { ...greeting, path: "/v1/example/echo", body: "{}" })).status).toBe(404);
    },
  );

  it("serves routes of services that cannot be edited", async () => {
    await using command = start(rules("rules.yaml"));
    const answer = await request(await command.url(), { method: "GET", path: "/v2/health" });
    expect(answer.text).toBe('{"status":"SERVING"}');
  });

  it("names services of rules that are not served in one line of the log", async () => {
    await using command = start(rules("rules.yaml"));
    const text = "http rules: ignored those of services that are not served: google.longrunning.Operations";
    expect(await command.logged(text)).toMatchObject({ level: "warn" });
  });

  it("serves REST as its flags say", async () => {
    const flags = [
      "--emit-defaults",
      "--ignore-trailing-slash",
      "--ignore-parameters",
      "utm_*",
      "--reject-unknown-fields",
    ];
    await using command = start(["--port", "0", ...flags]);
    const url = await command.url();
    const get = (path: string) => request(url, { method: "GET", path });
    expect((await get("/v1/example/echo/you/?utm_source=a")).text).toBe('{"message":"Hello, you Again!"}');
    expect((await get("/v1/example/echo/you?utm=a")).status).toBe(400);
    const unknown = await request(url, { ...greeting, path: "/v1/example/echo", body: '{"nothing":1}' });
    expect(unknown.status).toBe(400);
  });

  it("passes limits on", async () => {
    await using command = start(["--port", "0", "--max-message-size", "1KiB"]);
    const answer = await request(await command.url(), { ...greeting, body: `{"name":"${"x".repeat(2000)}"}` });
    expect(JSON.parse(answer.text)).toMatchObject({ code: "resource_exhausted" });
  });

  it("speaks TLS with the files that it was given", async () => {
    await using command = start(["--port", "0", ...pair]);
    const url = await command.url();
    expect(url).toMatch(/^https:/);
    expect((await greet(url)).status).toBe(200);
  });

  it("serves without reflection with --no-reflection", async () => {
    await using command = start(["--port", "0", "--no-reflection"]);
    const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const answer = await request(await command.url(), { path, httpVersion: "2" });
    expect(answer.status).toBe(404);
    expect(command.stdout).not.toContain("grpcurl");
  });

  it("serves in the reference lane as in the fast one", async () => {
    await using command = start(["--port", "0", "--reference-lane"]);
    expect((await greet(await command.url())).text).toBe('{"message":"Hello, you!"}');
  });

  it("continues when its output is no longer read", async () => {
    await using command = start(["--port", "0"]);
    const url = await command.url();
    command.leave("stdout");
    command.leave("stderr");
    for (let count = 0; count < 3; count++) expect((await greet(url)).status).toBe(200);
    command.signal("SIGTERM");
    expect(await command.ended).toMatchObject({ exitCode: 0 });
  });

  it("starts when its banner is not read", async () => {
    await using command = start(["--port", "0"]);
    command.leave("stdout");
    expect((await greet(await command.url())).status).toBe(200);
  });
});

it("the command's file says by what it is run", async () => {
  expect(await readFile(stage.main, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
});

describe("where Node makes no code from strings", () => {
  const node = "--disallow-code-generation-from-strings";

  it("server and client serve and call", async () => {
    await using server = new CommandProcess({ main: [node, stage.main], argv: ["--port", "0"] });
    const url = await server.url();
    const client = join(stage.folder, "dist/client/main.js");
    for (const argv of [["grpc"], ["grpc-web"], ["connect"], ["connect", "--json"], ["rest"]]) {
      await using command = new CommandProcess({ main: [node, client], argv: ["--url", url, "--protocol", ...argv] });
      const { exitCode, stdout } = await command.ended;
      expect({ argv, exitCode, greeting: stdout.split("\n")[0] }).toEqual({
        argv,
        exitCode: 0,
        greeting: "SayHello received: Hello, you!",
      });
    }
  });
});
