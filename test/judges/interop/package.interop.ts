// The packed package beside other versions of Connect and protobuf-es, with one copy of each, and with protoc.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNpmProject, listWarnings, type NpmProject, pack } from "../../support/npm-project.js";
import { run } from "../../support/program.js";
import { generator, generatorOptions, printService, shopProto } from "../../support/shop.js";
import { type Stage, stagePackage } from "../../support/stage.js";
import { python } from "./tools.js";

const limitMs = 300_000;
let stage: Stage;
let tarballs: NpmProject;
let tarball: string;

beforeAll(async () => {
  stage = await stagePackage();
  tarballs = await createNpmProject();
  tarball = join(tarballs.folder, (await pack(stage, tarballs.folder)).filename);
});
afterAll(async () => {
  await tarballs[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

/** The Connect packages of one version, which need each other in that very version. */
const connectOf = (version: string) =>
  ["connect", "connect-node", "connect-web"].map((name) => `@connectrpc/${name}@${version}`);

const validateOf = (version: string, rules: string) => [
  `@connectrpc/validate@${version}`,
  `@bufbuild/protovalidate@${rules}`,
];

const shared = ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node", "@connectrpc/connect-web"];

/** Calls the Greeter over every protocol by our client, and by the application's own Connect where it has one. */
const calls = (isValidated: boolean) => `
  import { createServer } from "manywire";
  import { createClient, createTransport } from "manywire/client";
  import { Greeter } from "manywire/gen/hello_world_pb.js";
  import * as node from "@connectrpc/connect-node";
  import * as web from "@connectrpc/connect-web";
  ${isValidated ? 'import { createValidateInterceptor } from "@connectrpc/validate";' : ""}

  const interceptors = [${isValidated ? "createValidateInterceptor()" : ""}];
  const sayHello = ({ name }) => ({ message: "Hello, " + name + "!" });
  for (const fastLane of [true, false]) {
    const routes = (router) => router.service(Greeter, { sayHello });
    const server = createServer({ port: 0, fastLane, interceptors, routes });
    await server.listen();
    const baseUrl = server.url;
    const ours = ["grpc", "grpc-web", "connect", "rest"].map((protocol) => createTransport({ protocol, baseUrl }));
    const theirs = [
      node.createGrpcTransport({ baseUrl }),
      node.createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
      node.createConnectTransport({ baseUrl, httpVersion: "2" }),
      web.createGrpcWebTransport({ baseUrl }),
      web.createConnectTransport({ baseUrl }),
    ];
    for (const transport of [...ours, ...theirs]) {
      console.log((await createClient(Greeter, transport).sayHello({ name: "you" })).message);
    }
    for (const transport of ours) transport.close();
    await server.close();
  }
  process.exit(); // connect-node keeps its HTTP/2 connections open.
`;

describe("the package has one copy of what it shares with an application", { timeout: limitMs }, () => {
  it.for([
    ["the oldest", [...connectOf("2.0.0"), "@bufbuild/protobuf@2.12.1"]],
    ["the oldest with validate", [...connectOf("2.0.3"), ...validateOf("0.1.0", "0.8.0")]],
    ["the newest for Node 20", [...connectOf("2.1.2"), ...validateOf("0.2.0", "1.3.0"), "@bufbuild/protobuf@2.17.0"]],
  ] as const)("that has %s", async ([, packages]) => {
    await using project = await createNpmProject();
    const installed = await project.install("--save-exact", ...packages, tarball);
    expect([installed.code, listWarnings(installed.stderr)], installed.stderr).toEqual([0, []]);
    const list = await project.outputOf("npm", "ls", "--all", "--parseable", ...shared);
    const copies = list.split("\n").flatMap((path) => shared.filter((name) => path.endsWith(`/node_modules/${name}`)));
    expect(copies.sort()).toEqual(shared);
    const isValidated = packages.some((name) => name.startsWith("@connectrpc/validate"));
    await writeFile(join(project.folder, "call.js"), calls(isValidated));
    expect(await project.outputOf(process.execPath, "call.js")).toBe("Hello, you!\n".repeat(18));
  });
});

it("the package's protos compile with protoc, in an empty folder", { timeout: limitMs }, async () => {
  await using project = await createNpmProject();
  const installed = await project.install(tarball);
  expect(installed.code, installed.stderr).toBe(0);
  await mkdir(join(project.folder, "proto"));
  await mkdir(join(project.folder, "gen"));
  await writeFile(join(project.folder, "proto/shop.proto"), shopProto);
  const options = generatorOptions.map((option) => `--es_opt=${option}`);
  const plugin = `--plugin=protoc-gen-es=${generator}`;
  const includes = ["-I", "proto", "-I", "node_modules/manywire/dist/proto"];
  const protoc = ["-m", "grpc_tools.protoc", ...includes, plugin, "--es_out=gen", ...options, "proto/shop.proto"];
  await project.outputOf(python, ...protoc);
  const load = printService("./gen/shop_pb.js");
  expect(await project.outputOf(process.execPath, "--eval", load)).toBe("shop.v1.Shop\n");
  const { stdout } = await run("find", [join(project.folder, "gen"), "-type", "f"]);
  expect(
    stdout
      .trim()
      .split("\n")
      .map((path) => path.slice(project.folder.length))
      .sort(),
  ).toEqual(["/gen/shop_pb.d.ts", "/gen/shop_pb.js"]);
});
