import { readdirSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { CommandProcess } from "../support/command-process.js";
import { request } from "../support/http.js";
import { createNpmProject, listWarnings, type NpmProject, pack, type Tarball } from "../support/npm-project.js";
import { type Outcome, outputOf } from "../support/program.js";
import { generator, generatorOptions, printService, shopProto } from "../support/shop.js";
import { root, type Stage, stagePackage } from "../support/stage.js";

let stage: Stage;
let npmProject: NpmProject;
let project: string;
let packed: Tarball;
let installed: Outcome;

beforeAll(async () => {
  stage = await stagePackage();
  npmProject = await createNpmProject();
  project = npmProject.folder;
  packed = await pack(stage, project);
  installed = await npmProject.install(join(project, packed.filename));
}, 150_000);

afterAll(async () => {
  await npmProject[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

describe("the tarball", () => {
  it("has what is built, what describes it, and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    const pages = "dist/server/pages/browser";
    const isBuilt = /^dist\/(server|client|gen)\/(?!.*\/swagger-ui)[\w/-]+\.(js|d\.ts)$/;
    const built = paths.filter((path) => isBuilt.test(path));
    const protos = paths.filter((path) => path.startsWith("dist/proto/"));
    const others = paths.filter((path) => !built.includes(path) && !protos.includes(path)).sort();
    const template = readdirSync(join(root, "template"), { recursive: true, withFileTypes: true });
    const templateFiles = template.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    expect(others).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      ...["base.css", "call.css", "docs.css", "icon.svg", "landing.css", "method.css"].map(
        (name) => `${pages}/${name}`,
      ),
      ...["swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt"].map((name) => `${pages}/${name}`),
      ...["swagger-ui.LICENSE.txt", "swagger-ui.NOTICE.txt", "swagger-ui.css"].map((name) => `${pages}/${name}`),
      "package.json",
      "proto/hello_world.proto",
      "proxy.schema.json",
      ...templateFiles.map((file) => file.slice(root.length)).sort(),
    ]);
    const modules = built.filter((path) => path.endsWith(".js"));
    expect(built.filter((path) => path.endsWith(".d.ts"))).toEqual(modules.map((path) => path.replace(/js$/, "d.ts")));
    expect(modules).toContain("dist/server/index.js");
    const names = ["google/api/annotations", "google/longrunning/operations", "google/rpc/status", "google/type/money"];
    const ofGrpc = ["grpc/health/v1/health", "grpc/reflection/v1/reflection"];
    const expected = ["LICENSE", ...[...names, ...ofGrpc].map((name) => `${name}.proto`)];
    expect(protos).toEqual(expect.arrayContaining(expected.map((name) => `dist/proto/${name}`)));
    const code = protos
      .filter((file) => file.endsWith(".proto"))
      .map((file) => file.replace("dist/proto/", "dist/gen/").replace(/\.proto$/, "_pb.js"));
    expect(code.filter((file) => !modules.includes(file))).toEqual([]);
  });

  it("has every file that its manifest names", async () => {
    const { bin, exports } = JSON.parse(await readFile(join(stage.folder, "package.json"), "utf8"));
    const files = [bin, exports].flatMap(listTexts).map((path) => path.replace(/^\.\//, ""));
    const paths = packed.files.map(({ path }) => path);
    const isThere = (file: string) => {
      const [start = "", end = ""] = file.split("*");
      return paths.some((path) => (file.includes("*") ? path.startsWith(start) && path.endsWith(end) : path === file));
    };
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => !isThere(file))).toEqual([]);
  });
});

/** All texts in nested objects, such as the conditions of `exports`. */
function listTexts(value: unknown): string[] {
  return typeof value === "string" ? [value] : Object.values(Object(value)).flatMap(listTexts);
}

/** What npm says where no registry can be reached. */
const unreachable = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|ENETUNREACH|EHOSTUNREACH)\b/;

/** Without a registry there may be nothing to test; where everything has to be tested, that is a failure. */
function needInstalled(context: TestContext): void {
  const isUnreachable = installed.code !== 0 && unreachable.test(installed.stderr);
  if (isUnreachable && !process.env.CI) context.skip("no registry can be reached, and npm's cache lacks a package");
}

describe("a project with the package installed", () => {
  const outputIn = (program: string, ...args: string[]) => npmProject.outputOf(program, ...args);
  const bin = (name: string) => join(project, "node_modules", ".bin", name);

  it("was installed without a warning", (context) => {
    needInstalled(context);
    expect(installed.code, installed.stderr).toBe(0);
    expect(listWarnings(installed.stderr)).toEqual([]);
  });

  it("imports server and client, and nothing that is not exported", async (context) => {
    needInstalled(context);
    const names = await outputIn(
      process.execPath,
      "--input-type=module",
      "--eval",
      `
      const names = {};
      for (const name of ["manywire", "manywire/client", "manywire/interceptors"]) names[name] = Object.keys(await import(name));
      names.inner = await import("manywire/dist/server/server.js").catch(({ code }) => code);
      console.log(JSON.stringify(names));
    `,
    );
    expect(JSON.parse(names)).toEqual({
      manywire: expect.arrayContaining(["createServer", "peerCertificate"]),
      "manywire/client": expect.arrayContaining(["createClient", "createTransport"]),
      "manywire/interceptors": expect.arrayContaining(["apiKeys", "principal"]),
      inner: "ERR_PACKAGE_PATH_NOT_EXPORTED",
    });
  });

  describe("compiles a service and its client", () => {
    const service = `
      import { type CallObserver, createServer, type Server, type ServerOptions } from "manywire";
      import { createClient, createTransport } from "manywire/client";
      import { Greeter } from "./gen/hello_world_pb.js";

      const onCall: CallObserver = ({ method, code }) => console.log(method.path, code ?? "ok");
      const options: ServerOptions = {
        port: 0,
        onCall,
        routes: (router) => router.service(Greeter, { sayHello: ({ name }) => ({ message: name.toUpperCase() }) }),
      };
      const server: Server = createServer(options);
      await server.listen();
      const transport = createTransport({ protocol: "grpc", baseUrl: server.url });
      console.log((await createClient(Greeter, transport).sayHello({ name: "you" })).message);
      transport.close();
      await server.close();
    `;

    beforeAll(async () => {
      await cp(join(root, "gen"), join(project, "gen"), { recursive: true });
      await writeFile(join(project, "service.ts"), service);
    });

    it.for([
      ["nodenext", "nodenext"],
      ["esnext", "bundler"],
    ] as const)(
      "with module %s and resolution %s, checking all declarations, and runs",
      async ([module, how], context) => {
        needInstalled(context);
        const outDir = join(project, `out-${how}`);
        const types = ["--types", "node", "--typeRoots", join(root, "node_modules", "@types")];
        const strict = [
          "--strict",
          "--exactOptionalPropertyTypes",
          "--noUncheckedIndexedAccess",
          "--skipLibCheck",
          "false",
        ];
        const resolution = ["--target", "es2022", "--module", module, "--moduleResolution", how];
        const tsc = join(root, "node_modules", ".bin", "tsc");
        await outputIn(tsc, ...types, ...strict, ...resolution, "--outDir", outDir, "service.ts");
        const output = await outputOf(process.execPath, [join(outDir, "service.js")]);
        expect(output.split("\n").sort()).toEqual(["", "/hello_world.Greeter/SayHello ok", "YOU"]);
      },
    );
  });

  describe("has protos to import", () => {
    const config = `{
      "version": "v2",
      "modules": [{"path": "proto"}, {"path": "node_modules/manywire/dist/proto"}]
    }`;

    beforeAll(async () => {
      await mkdir(join(project, "proto"));
      await writeFile(join(project, "proto/shop.proto"), shopProto);
      await writeFile(join(project, "buf.yaml"), config);
      const options = JSON.stringify(generatorOptions);
      const plugins = `[{"local": ${JSON.stringify(generator)}, "out": "by-buf", "opt": ${options}}]`;
      const template = `{"version": "v2", "inputs": [{"directory": "proto"}], "plugins": ${plugins}}`;
      await writeFile(join(project, "buf.gen.yaml"), template);
    });

    it("with buf", async (context) => {
      needInstalled(context);
      await outputIn(join(root, "node_modules/.bin/buf"), "generate");
      const load = printService("./by-buf/shop_pb.js");
      expect(await outputIn(process.execPath, "--eval", load)).toBe("shop.v1.Shop\n");
    });
  });

  it("starts the command, which serves calls and prints how to start the client", async (context) => {
    needInstalled(context);
    await using command = new CommandProcess({ main: [bin("manywire")], argv: ["--port", "0"] });
    const url = await command.url();
    const headers = { "content-type": "application/json" };
    const answer = await request(url, { path: "/hello_world.Greeter/SayHello", headers, body: '{"name":"you"}' });
    expect(answer.text).toBe('{"message":"Hello, you!"}');
    expect(command.stdout).toContain(`  TypeScript   npx -p manywire manywire-client --url ${url}\n`);
  });

  it("has the client that is called like that, and asks no registry for it", async (context) => {
    needInstalled(context);
    await using command = new CommandProcess({ main: [bin("manywire")], argv: ["--port", "0"] });
    const client = ["-p", "manywire", "manywire-client", "--url", await command.url()];
    const output = await outputIn("npx", "--offline", ...client);
    expect(output).toBe("SayHello received: Hello, you!\nSayHelloAgain received: Hello, you Again!\n");
  });
});
