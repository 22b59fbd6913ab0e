// Clients that four generators make of the document compile, and lose no field: they get an item with a field of every kind,
// send it back as the type that they have for it, and call every kind of operation. (openapi-typescript is in typed-client.)
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../../../../server/index.js";
import { hasProgram, outputOf, run } from "../../../support/program.js";
import { cache, once } from "../cache.js";
import { serverOf } from "./documents.js";
import { judges } from "./tools.js";

const limitMs = 300_000;
const sources = join(import.meta.dirname, "clients");
const folder = join(cache, "clients");
const documentFile = join(folder, "depot.json");

const server: Server = serverOf("DepotService");

beforeAll(async () => {
  await server.listen();
  mkdirSync(folder, { recursive: true });
  writeFileSync(documentFile, JSON.stringify(server.openApi()));
});
afterAll(() => server.close());

/** An empty folder with a client's program. */
function project(name: string, ...files: string[]): string {
  const place = join(folder, name);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const file of files) copyFileSync(join(sources, file), join(place, file));
  return place;
}

const get = async (path: string) => (await fetch(`${server.url}${path}`)).json();

/**
 * Compares what a client prints with what came over the wire. Python writes the offset of UTC in another way.
 *
 * @param left calls that the client cannot make
 */
async function expectOutcome(text: string, ...left: string[]): Promise<void> {
  const item = (await get("/v1/shelves/1/items/2")) as object;
  const outcome = JSON.parse(text.replaceAll("+00:00", "Z"));
  const expected = {
    created: { ...item, name: "shelves/1/items/new" },
    searched: { name: "t", count: "3", barCode: "c" },
    watched: await get("/v1/items:watch?count=2"),
    uploaded: { name: "shelves/1/items/2", checksum: "AP8=", barCode: "application/octet-stream" },
    downloaded: "shelves/1/items/2",
  };
  expect(outcome).toEqual(Object.fromEntries(Object.entries(expected).filter(([name]) => !left.includes(name))));
}

const tsconfig = {
  compilerOptions: {
    ...{ target: "es2022", module: "esnext", moduleResolution: "bundler", strict: true, noEmit: true },
    ...{ types: [], lib: ["es2023", "dom", "dom.iterable"] },
  },
  files: ["depot.ts", "process.d.ts"],
};

describe("@hey-api/openapi-ts", { timeout: limitMs }, () => {
  it("makes a client that keeps every field", async () => {
    const place = project("hey-api", "depot.ts");
    const packages = join(judges, "node_modules");
    const generator = join(packages, "@hey-api", "openapi-ts", "bin", "run.js");
    const options = ["-i", documentFile, "-o", join(place, "client"), "-c", "@hey-api/client-fetch"];
    await outputOf(process.execPath, [generator, ...options], { cwd: judges, limitMs });
    writeFileSync(join(place, "package.json"), '{"type":"module"}');
    writeFileSync(
      join(place, "process.d.ts"),
      "declare const process: { argv: string[]; stdout: { write(text: string): void } };\n",
    );
    writeFileSync(join(place, "tsconfig.json"), JSON.stringify(tsconfig));
    await outputOf(process.execPath, [join(packages, "typescript", "bin", "tsc"), "--project", place], { limitMs });
    // Its imports have no extensions, as bundlers take them.
    const esbuild = join(import.meta.dirname, "../../../../node_modules/esbuild/bin/esbuild");
    const file = join(place, "depot.mjs");
    const esm = ["--bundle", "--format=esm", "--platform=node", `--outfile=${file}`, "--log-level=error"];
    await outputOf(process.execPath, [esbuild, join(place, "depot.ts"), ...esm]);
    await expectOutcome(await outputOf(process.execPath, [file, server.url]));
  });
});

describe("openapi-python-client", { timeout: limitMs }, () => {
  it("makes a client that keeps every field", async () => {
    const requirement = "openapi-python-client==0.29.1";
    const python = join(cache, "openapi-python", "bin", "python");
    await once("openapi-python", requirement, async (place) => {
      await outputOf("python3", ["-m", "venv", place], { limitMs });
      await outputOf(python, ["-m", "pip", "install", "--quiet", requirement], { limitMs });
    });
    const place = project("python", "depot.py");
    const generator = join(cache, "openapi-python", "bin", "openapi-python-client");
    const options = ["--path", documentFile, "--output-path", join(place, "depot_client"), "--meta", "none"];
    const { code, stdout } = await run(generator, ["generate", ...options], { limitMs });
    expect([code, stdout]).toEqual([0, expect.not.stringContaining("WARNING parsing")]);
    await expectOutcome(await outputOf(python, [join(place, "depot.py"), server.url], { limitMs }));
  });
});

describe("oapi-codegen", { timeout: limitMs }, () => {
  it("makes a client that keeps every field", async () => {
    const generatorModule = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2";
    const env = { ...process.env, GOBIN: join(cache, "oapi-codegen"), GOFLAGS: "-mod=mod" };
    await once("oapi-codegen", generatorModule, async () => {
      await outputOf("go", ["install", generatorModule], { env, limitMs });
    });
    const place = project("go", "main.go");
    mkdirSync(join(place, "depot"));
    writeFileSync(join(place, "go.mod"), "module manywire.test/depot\n\ngo 1.24\n");
    const options = ["-generate", "types,client", "-package", "depot", "-o", join(place, "depot", "depot.go")];
    await outputOf(join(cache, "oapi-codegen", "oapi-codegen"), [...options, documentFile], { limitMs });
    await outputOf("go", ["get", "github.com/oapi-codegen/runtime@v1.9.0"], { env, cwd: place, limitMs });
    await outputOf("go", ["mod", "tidy"], { env, cwd: place, limitMs });
    const text = await outputOf("go", ["run", ".", server.url], { env, cwd: place, limitMs });
    await expectOutcome(text);
  });
});

describe.skipIf(!hasProgram("javac") || !hasProgram("mvn"))("openapi-generator", { timeout: limitMs }, () => {
  it("makes a client for Java that keeps every field", async (context) => {
    const artifact = "org.openapitools:openapi-generator-cli:7.23.0";
    const jar = join(cache, "openapi-generator", "openapi-generator-cli-7.23.0.jar");
    await once("openapi-generator", artifact, async (place) => {
      const goal = ["-q", "dependency:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${place}`];
      await outputOf("mvn", goal, { limitMs });
    }).catch((reason) => context.skip(`Maven: ${reason.message}`));
    const place = project("java", "Depot.java", "Generated.java");
    const options = ["-g", "java", "--library", "native", "-i", documentFile, "-o", join(place, "client")];
    const plain = ["--additional-properties", "hideGenerationTimestamp=true,openApiNullable=false"];
    await outputOf("java", ["-jar", jar, "generate", ...options, ...plain], { limitMs });
    const list = join(place, "sources.txt");
    const { stdout } = await run("find", [join(place, "client/src/main/java"), "-name", "*.java"]);
    writeFileSync(list, `${stdout}${join(place, "Depot.java")}\n${join(place, "Generated.java")}\n`);
    const classes = join(place, "classes");
    // The generator brings the libraries that its clients need.
    await outputOf("javac", ["-nowarn", "-d", classes, "-cp", jar, `@${list}`], { limitMs });
    const text = await outputOf("java", ["-cp", `${classes}:${jar}`, "Depot", server.url], { limitMs });
    // Its library `native` sends the path of a file as JSON instead of the bytes.
    await expectOutcome(text, "uploaded");
  });
});
