// A service of one's own: as a module of the command, and by `runServer`.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandProcess } from "../../support/command-process.js";
import { request } from "../../support/http.js";
import { type Stage, stagePackage } from "../../support/stage.js";

let stage: Stage;
/** Modules; `F/` stands for their folder. It is inside of the package, so that they can import it by its name. */
let folder: string;

const pem = (name: string) => fileURLToPath(new URL(`../../support/certificates/${name}`, import.meta.url));

const greeter = `
  import { Greeter } from "../dist/gen/hello_world_pb.js";
  const routes = (router) => router.service(Greeter, {
    sayHello: ({ name }) => ({ message: "Hi, " + name }),
    sayHelloAgain() { throw new TypeError("no greeting"); },
  });
`;

const modules = {
  "routes.js": `${greeter} export default routes;`,
  "options.js": `${greeter} export default {
    routes, port: 1, host: "192.0.2.1", readMaxBytes: 100, docs: { title: "Greetings" }, rest: { emitDefaults: true },
    limits: { headerCount: 50 },
    onCall: ({ method }) => console.log("observed " + method.path),
  };`,
  "socket.js": `${greeter} export default { routes, path: "F/no-folder/a.sock" };`,
  "secure.js": `${greeter}
    import { readFileSync } from "node:fs";
    const [cert, key] = ${JSON.stringify([pem("server.pem"), pem("server-key.pem")])}.map((path) => readFileSync(path));
    export default { routes, tls: { cert, key } };`,
  "run.js": `${greeter}
    import { runServer } from "manywire";
    const server = await runServer({ routes, drainTimeoutMs: 100 });
    console.log("runs on " + server.url);
    setInterval(() => {}, 1000);`,
  "named.js": "export const routes = () => {}; export const other = 1;",
  "empty.js": "",
  "text.js": 'export default "routes";',
  "object.js": "export default { route: () => {} };",
  "list.js": "export default { routes: [] };",
  "null.js": "export default null;",
  "broken.js": "export default {\n  routes: (router) => {,\n};",
  "throws.js": '\nthrow new Error("no\\ndatabase");',
  "imports.js": 'import "./none.js";',
  "bad-routes.js": "export default (router) => {\n  router.service(undefined, {});\n};",
};

beforeAll(async () => {
  stage = await stagePackage();
  folder = join(stage.folder, "service");
  await mkdir(folder);
  for (const [name, text] of Object.entries(modules)) await writeFile(join(folder, name), fill(text));
}, 60_000);

afterAll(() => stage[Symbol.asyncDispose]());

const fill = (text: string) => text.replaceAll("F/", `${folder}/`);

const start = (argv: readonly string[], env: Record<string, string> = {}) =>
  new CommandProcess({ main: [stage.main], argv: argv.map(fill), env });

const greeting = {
  path: "/hello_world.Greeter/SayHello",
  headers: { "content-type": "application/json" },
  body: '{"name":"you"}',
};

describe("manywire serve with a module", () => {
  it("serves routes, and prints how to call them", async () => {
    await using command = start(["serve", "F/routes.js", "--port", "0"]);
    const url = await command.url();
    expect((await request(url, greeting)).text).toBe('{"message":"Hi, you"}');
    await command.until("the banner", () => command.stdout.includes("--host ::") || undefined);
    expect(command.stdout).toContain(`serves hello_world.Greeter on ${url}\n`);
    expect(command.stdout).toContain(`  REST         curl `);
    expect(command.stdout).toContain(`  page         ${url}/\n`);
    expect(command.stdout).not.toContain("npm run client");
  });

  it("logs an unexpected error with its stack, and drains on a signal", async () => {
    await using command = start(["serve", "F/routes.js", "--port", "0"]);
    await request(await command.url(), { ...greeting, path: "/hello_world.Greeter/SayHelloAgain" });
    const { err } = await command.logged("call failed");
    expect(err).toMatchObject({ type: "TypeError", stack: expect.stringContaining("routes.js:5") });
    command.signal("SIGTERM");
    expect((await command.ended).exitCode).toBe(0);
  });

  it("serves options, and before which flags and variables count", async () => {
    await using command = start(["serve", "F/options.js", "--host", "127.0.0.1"], {
      MANYWIRE_PORT: "0",
      MANYWIRE_MAX_MESSAGE_SIZE: "200",
      MANYWIRE_MAX_HEADERS: "60",
    });
    const url = await command.url();
    const call = (length: number) => request(url, { ...greeting, body: `{"name":"${"x".repeat(length)}"}` });
    expect([(await call(120)).status, (await call(220)).status]).toEqual([200, 429]);
    expect((await request(url, { method: "GET", path: "/openapi.json" })).text).toContain("Greetings");
    await command.logged("call");
    await command.until("the module's observer", () => command.stdout.includes("observed /hello") || undefined);
  });

  it("keeps the module's options where neither flag nor variable is given", async () => {
    await using command = start(["serve", "F/options.js", "--host", "127.0.0.1", "--port", "0"]);
    const answer = await request(await command.url(), { ...greeting, body: `{"name":"${"x".repeat(120)}"}` });
    expect(JSON.parse(answer.text)).toMatchObject({ code: "resource_exhausted" });
  });

  it("listens on a port instead of the module's socket if one is given", async () => {
    await using command = start(["serve", "F/socket.js", "--port", "0"]);
    expect(await command.url()).toMatch(/^http:/);
  });

  it("uses the module's certificates", async () => {
    await using command = start(["serve", "F/secure.js", "--port", "0"]);
    expect((await request(await command.url(), greeting)).text).toBe('{"message":"Hi, you"}');
  });

  it("prints the module's OpenAPI document", async () => {
    await using command = start(["openapi", "F/options.js"]);
    const { exitCode, stdout } = await command.ended;
    expect([exitCode, JSON.parse(stdout).info.title]).toEqual([0, "Greetings"]);
  });
});

const expected = "routes (router) => void, or options of createServer with routes, as its default export";

describe("a module that cannot be served", () => {
  it.each([
    ["none.js", `no such file; expected a module with ${expected}`],
    ["named.js", `expected ${expected}, found only other, routes`],
    ["empty.js", `expected ${expected}, found no export`],
    ["text.js", `expected ${expected}, found "routes"`],
    ["null.js", `expected ${expected}, found null`],
    ["object.js", `expected ${expected}, found an object without routes`],
    ["list.js", `expected ${expected}, found an object with routes of type object`],
    ["broken.js", /^expected a module that can be loaded, found SyntaxError: Unexpected token ','$/],
    ["throws.js", /^expected a module that can be loaded, found Error: no database \(.*throws\.js:2\)$/],
    ["imports.js", /^expected a module that can be loaded, found Error: Cannot find module .*none\.js/],
    ["bad-routes.js", /^.* \(.*bad-routes\.js:2\)$/],
  ])("is named in one line, with exit code 2: %s", async (name, problem) => {
    for (const word of ["serve", "openapi"]) {
      await using command = start([word, `F/${name}`, "--port", "0"]);
      const { exitCode, stdout, stderr } = await command.ended;
      expect([exitCode, stdout]).toEqual([2, ""]);
      const beginning = fill(`error: F/${name}: `);
      expect(stderr.slice(0, beginning.length)).toBe(beginning);
      const [line, ...rest] = stderr.slice(beginning.length).split("\n");
      expect(rest).toEqual([""]);
      if (typeof problem === "string") expect(line).toBe(problem);
      else expect(line).toMatch(problem);
    }
  });
});

describe("PORT", () => {
  it("is the port to listen on, with a warning that other machines cannot connect", async () => {
    await using command = start(["--no-banner"], { PORT: "0" });
    expect(new URL(await command.url()).port).not.toBe("50051");
    const warning = "only this machine can connect to 127.0.0.1; --host :: listens for other machines";
    expect(await command.logged(warning)).toMatchObject({ level: "warn" });
  });

  it("comes without a warning where the host is given", async () => {
    await using command = start(["--host", "::"], { PORT: "0" });
    await command.url();
    command.signal("SIGTERM");
    expect((await command.ended).stderr).not.toContain('"level":"warn"');
  });

  it("is named where it cannot be read", async () => {
    await using command = start([], { PORT: "http" });
    const stderr = 'error: PORT: expected a whole number from 0 to 65535, found "http"\n';
    expect(await command.ended).toMatchObject({ exitCode: 2, stderr });
  });
});

describe("runServer", () => {
  const run = (env: Record<string, string>) => new CommandProcess({ main: [join(folder, "run.js")], env });

  it("serves, logs and drains as the command does", async () => {
    await using program = run({ MANYWIRE_PORT: "0", MANYWIRE_LOG_LEVEL: "debug" });
    const url = await program.url();
    expect((await request(url, greeting)).text).toBe('{"message":"Hi, you"}');
    await program.logged("call");
    await program.until("the program's own line", () => program.stdout.includes(`runs on ${url}`) || undefined);
    expect(program.stdout).toContain(`serves hello_world.Greeter on ${url}\n`);
    program.signal("SIGTERM");
    expect((await program.ended).exitCode).toBe(0);
    expect(program.stderr).toMatch(/"msg":"drained"\}\n$/);
  });

  it.each([
    [{ MANYWIRE_PORT: "x" }, 2, 'MANYWIRE_PORT: expected a whole number from 0 to 65535, found "x"'],
    [{ PORT: "0", MANYWIRE_TLS_CERT: "F/none.pem" }, 1, "MANYWIRE_TLS_CERT: expected --tls-key to go with it"],
  ])("that cannot start says so in one line and ends the process: %j", async (env, exitCode, line) => {
    await using program = run(env as unknown as Record<string, string>);
    expect(await program.ended).toMatchObject({ exitCode, stderr: `error: ${line}\n`, stdout: "" });
  });
});

it("importing the package loads nothing that only the command needs", async () => {
  // Resolution of these packages fails, so that importing any of them would, too.
  const hooks = `export function resolve(name, context, next) {
    if (["commander", "pino", "pino-pretty", "yaml"].includes(name)) throw new Error("loads " + name);
    return next(name, context);
  }`;
  await writeFile(
    join(folder, "import.js"),
    `import { register } from "node:module";
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
    const { createServer } = await import("manywire");
    createServer({ routes: () => {} });
    console.log(await import("../dist/server/command/command.js").catch(({ message }) => message));`,
  );
  await using program = new CommandProcess({ main: ["--no-warnings", join(folder, "import.js")] });
  expect(await program.ended).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^loads (pino|commander)\n$/),
  });
});
