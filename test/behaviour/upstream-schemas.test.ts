// The schemas of upstreams: read again when they may have changed, kept over restarts, merged with descriptor sets and with
// each other, and passed on by reflection.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { create, type DescService, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createTransport, type TransportOptions } from "../../client/index.js";
import { createServer, type Server, type ServerOptions } from "../../server/index.js";
import { createServerAndApi } from "../../server/server.js";
import { readSchema } from "../../server/upstream/reflection-client.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import {
  buildServices,
  craftService,
  descriptorSet,
  errorAnswer,
  filesAnswer,
  type Reflector,
  reflectFiles,
  reflectionOf,
  type ServiceInit,
  serialise,
  serveAll,
} from "../support/crafted-schema.js";
import { startServer } from "../support/server.js";

const protocols = ["grpc", "grpc-web", "connect"] as const;

/** A service of the package, whose replies begin with the name of the method. */
function craft(name: string, methods: readonly string[], init: Partial<ServiceInit> = {}): FileDescriptorProto {
  return craftService({ file: `${name}.proto`, package: name, methods, ...init });
}

/** Replies with the method's name and the request's field. */
const reply = (request: Record<string, unknown>, { name }: { name: string }) => ({
  text: `${name} ${request.text}`,
});

/** A server of the files, at the port if there is one. */
async function startUpstream(files: readonly FileDescriptorProto[], options: Partial<ServerOptions> = {}) {
  const services = buildServices(...files);
  const server = createServer({ port: 0, drainTimeoutMs: 0, routes: serveAll(services, reply), ...options });
  await server.listen();
  onTestFinished(() => server.close());
  return server;
}

/** A server whose reflection does not describe its services. */
function startCrafted(reflect: Reflector, files: readonly FileDescriptorProto[], port = 0) {
  const serve = serveAll(buildServices(...files), reply);
  const routes: ServerOptions["routes"] = (router) => {
    serve(router);
    reflectionOf(reflect)(router);
  };
  return startUpstream([], { port, routes, reflection: false });
}

/** A proxy that listens, with what it warns of. */
async function startProxy(upstreams: ServerOptions["upstreams"], options: Partial<ServerOptions> = {}) {
  const warnings: string[] = [];
  const errors: string[] = [];
  const parts = createServerAndApi({
    ...{ port: 0, drainTimeoutMs: 0, routes: () => {}, upstreams },
    onWarning: (warning) => warnings.push(warning),
    onConnectionError: ({ message }, step) => step === "upstream schema" && errors.push(message),
    ...options,
  });
  const { server } = parts;
  await server.listen();
  onTestFinished(() => server.close());
  return { server, url: server.url, upstreams: parts.live.upstreams, warnings, errors };
}

async function isServing({ health }: Server): Promise<void> {
  while (!health.isServing()) await delay(5);
}

const portOf = ({ url }: { url: string }) => Number(new URL(url).port);

async function get(url: string, path: string) {
  const response = await fetch(url + path);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Calls a method of `Service` with the text "x". */
async function call(
  baseUrl: string,
  files: FileDescriptorProto,
  method: string,
  protocol: TransportOptions["protocol"],
) {
  const [service] = buildServices(files) as [DescService];
  const transport = createTransport({ protocol, baseUrl });
  const client = createClient(service, transport) as Record<string, (request: object) => Promise<{ text: string }>>;
  try {
    return (await client[service.methods.find(({ name }) => name === method)?.localName ?? ""]?.({ text: "x" }))?.text;
  } catch (error) {
    return Code[ConnectError.from(error).code];
  } finally {
    transport.close();
  }
}

const pathsOf = async (url: string) => Object.keys((await get(url, "/openapi.json")).body.paths ?? {});

describe("a schema is read again", () => {
  const before = craft("acme", ["Alpha", "Old"]);
  const after = craft("acme", ["Alpha", "New"]);

  test("when the server comes back with other methods, while calls of others go on", async () => {
    await using other = await startServer();
    const upstream = await startUpstream([before]);
    const { url, server, upstreams } = await startProxy([{ url: upstream.url }, { url: other.url }]);
    await upstreams.ready;
    const transport = createTransport({ protocol: "grpc", baseUrl: url });
    const slow = createClient(TestService, transport).unary({ text: "slow", waitMs: 1500 });
    expect(await call(url, before, "Old", "grpc")).toBe("Old x");
    expect(await pathsOf(url)).toContain("/acme/old/{text}");

    await upstream.close();
    await startUpstream([after], { port: portOf(upstream) });
    await expect
      .poll(() => get(url, "/acme/new/x"), { timeout: 2000 })
      .toEqual({ status: 200, body: { text: "New x" } });
    for (const protocol of protocols) {
      expect(await call(url, after, "New", protocol)).toBe("New x");
      expect(await call(url, after, "Alpha", protocol)).toBe("Alpha x");
      expect(await call(url, before, "Old", protocol)).toBe("Unimplemented");
    }
    expect((await get(url, "/acme/old/x")).status).toBe(404);
    expect(await pathsOf(url)).toContain("/acme/new/{text}");
    expect(await pathsOf(url)).not.toContain("/acme/old/{text}");
    expect((await slow).text).toBe("slow");
    expect(server.health.isServing()).toBe(true);
    transport.close();
  });

  test("when a known method is unimplemented, and when `refresh` is called", async () => {
    let files = [before];
    const upstream = await startCrafted((asked) => reflectFiles(...files)(asked), [after]);
    const { url, upstreams } = await startProxy([{ url: upstream.url }]);
    await upstreams.ready;
    expect((await get(url, "/acme/new/x")).status).toBe(404);
    files = [after];
    expect(await call(url, before, "Alpha", "connect")).toBe("Alpha x");
    expect((await get(url, "/acme/new/x")).status).toBe(404);
    expect(await call(url, before, "Old", "connect")).toBe("Unimplemented");
    await expect.poll(async () => (await get(url, "/acme/new/x")).status).toBe(200);
    files = [before];
    await upstreams.refresh();
    expect((await get(url, "/acme/new/x")).status).toBe(404);
  });

  test("and replaces nothing if it is the same", async () => {
    const upstream = await startUpstream([before]);
    const parts = createServerAndApi({ port: 0, routes: () => {}, upstreams: [{ url: upstream.url }] });
    await parts.server.listen();
    await parts.live.upstreams.ready;
    const api = parts.api();
    await parts.live.upstreams.refresh();
    expect(parts.api()).toBe(api);
    await parts.server.close();
  });

  test.each<[string, Reflector, string]>([
    ["fails", () => errorAnswer("oh"), 'reflection: list of services: the server says: "oh"'],
    [
      "has lost a type",
      (asked) =>
        asked.case === "fileContainingSymbol"
          ? filesAnswer({ ...before, messageType: [] } as FileDescriptorProto)
          : reflectFiles(before)(asked),
      "acme.Service: acme.proto: invalid MethodDescriptorProto: input_type .acme.Item not found",
    ],
  ])("and stays as it was if another one %s, which is said once", async (_, broken, reason) => {
    let reflect = reflectFiles(before);
    const upstream = await startCrafted((asked) => reflect(asked), [before]);
    const { url, upstreams, errors } = await startProxy([{ url: upstream.url }]);
    await upstreams.ready;
    reflect = broken;
    for (let count = 0; count < 3; count++) await expect(upstreams.refresh()).rejects.toThrow(reason);
    expect(errors).toEqual([expect.stringContaining(`${upstream.url}: schema not read again, the old one stays: `)]);
    expect(errors[0]).toContain(reason);
    expect(await get(url, "/acme/old/x")).toEqual({ status: 200, body: { text: "Old x" } });
    for (const protocol of protocols) expect(await call(url, before, "Old", protocol)).toBe("Old x");
    reflect = reflectFiles(after);
    await upstreams.refresh();
    expect((await get(url, "/acme/old/x")).status).toBe(404);
    expect(errors.length).toBe(1);
  });
});

test("a route that is wrong is left out with a warning, and so is the name of a method that is not there", async () => {
  const paths: Record<string, string> = { Alpha: "/{", Beta: "/acme/{text}", Gamma: "/acme/{text}" };
  const file = craft("acme", Object.keys(paths), { path: (method) => paths[method] ?? "" });
  const upstream = await startUpstream([file], { rest: { withoutRoutes: ["*"] } });
  const { url, upstreams, warnings } = await startProxy([{ url: upstream.url }], {
    rest: { withoutRoutes: ["none.*"] },
  });
  await upstreams.ready;
  expect(await get(url, "/acme/x")).toEqual({ status: 200, body: { text: "Beta x" } });
  for (const protocol of protocols) {
    for (const method of Object.keys(paths)) expect(await call(url, file, method, protocol)).toBe(`${method} x`);
  }
  expect(warnings).toEqual([
    expect.stringMatching(/^acme\.Service\.Alpha: google\.api\.http get "\/\{": /),
    expect.stringMatching(
      /^acme\.Service\.Gamma: .* expected a route that no other method has, found the same as .*Beta/,
    ),
    'rest.withoutRoutes: expected the name of a method that is served, found "none.*"',
  ]);
});

test("a server that starts late is served within two seconds", async () => {
  const early = await startUpstream([craft("acme", ["Do"])]);
  await early.close();
  const { server, url } = await startProxy([{ url: early.url }]);
  // Longer than the first attempts.
  await delay(2500);
  await startUpstream([craft("acme", ["Do"])], { port: portOf(early) });
  const started = performance.now();
  await isServing(server);
  expect(performance.now() - started).toBeLessThan(2000);
  expect((await get(url, "/acme/do/x")).status).toBe(200);
});

describe("a schema cache", () => {
  const file = craft("acme", ["Do"]);
  let folder: string;
  let schemaCache: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "manywire-schemas-"));
    schemaCache = join(folder, "cache.json");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("is served while the server is not there, and replaced when it comes", async () => {
    const upstream = await startUpstream([file]);
    const first = await startProxy([{ url: upstream.url, schemaCache }]);
    await first.upstreams.ready;
    await first.server.close();
    await upstream.close();

    const { url, server, upstreams, errors } = await startProxy([{ url: upstream.url, schemaCache }]);
    await upstreams.ready;
    await isServing(server);
    expect(await pathsOf(url)).toContain("/acme/do/{text}");
    expect((await fetch(`${url}/`)).status).toBe(200);
    expect(await get(url, "/acme/do/x")).toMatchObject({ status: 503, body: { code: Code.Unavailable } });
    for (const protocol of protocols) expect(await call(url, file, "Do", protocol)).toBe("Unavailable");
    expect(errors).toEqual([expect.stringContaining("the old one stays")]);

    await startUpstream([craft("acme", ["Do", "More"])], { port: portOf(upstream) });
    await expect.poll(async () => (await get(url, "/acme/more/x")).status, { timeout: 2000 }).toBe(200);
    expect((await get(url, "/acme/do/x")).body).toEqual({ text: "Do x" });
  });

  test("that is damaged is one warning, and is not used", async () => {
    const upstream = await startUpstream([file]);
    writeFileSync(schemaCache, '{"upstreams":');
    const { url, upstreams, errors } = await startProxy([{ url: upstream.url, schemaCache }]);
    await upstreams.ready;
    expect(errors).toEqual([expect.stringContaining(`${schemaCache}: not used, since it is no schema cache`)]);
    expect((await get(url, "/acme/do/x")).status).toBe(200);
    expect(JSON.parse(readFileSync(schemaCache, "utf8")).upstreams).toHaveProperty([upstream.url]);
  });

  test("that cannot be written stops the start", () => {
    const options = { routes: () => {}, upstreams: [{ url: "localhost:1", schemaCache: join(folder, "none/cache") }] };
    expect(() => createServer(options)).toThrow(
      `createServer: upstreams[0].schemaCache: ${folder}/none/cache: its folder is not there`,
    );
  });
});

describe("a descriptor set", () => {
  const ofSet = craft("acme", ["Do"], { path: () => "/set/{text}" });
  const ofServer = craft("acme", ["Do", "More"]);
  const added = craft("extra", ["Do"]);

  test("counts before reflection, which adds services", async () => {
    const upstream = await startUpstream([ofServer, added]);
    const { url, upstreams } = await startProxy([{ url: upstream.url, descriptorSet: descriptorSet(ofSet) }]);
    expect((await get(url, "/set/x")).body).toEqual({ text: "Do x" });
    await upstreams.ready;
    expect((await get(url, "/set/x")).body).toEqual({ text: "Do x" });
    expect((await get(url, "/acme/more/x")).status).toBe(404);
    expect((await get(url, "/extra/do/x")).body).toEqual({ text: "Do x" });
    for (const protocol of protocols) {
      expect(await call(url, added, "Do", protocol)).toBe("Do x");
      expect(await call(url, ofServer, "More", protocol)).toBe("Unimplemented");
    }
  });

  test("is enough for a server without reflection", async () => {
    const upstream = await startUpstream([ofServer], { reflection: false });
    const { url, upstreams, errors } = await startProxy([{ url: upstream.url, descriptorSet: descriptorSet(ofSet) }]);
    await upstreams.ready;
    expect((await get(url, "/set/x")).status).toBe(200);
    expect(errors).toEqual([]);
  });

  test("is all that is served if reflection is not asked", async () => {
    const upstream = await startUpstream([ofServer, added]);
    const set = descriptorSet(ofSet);
    const { url, upstreams } = await startProxy([{ url: upstream.url, descriptorSet: set, reflection: false }]);
    await upstreams.ready;
    await upstreams.refresh();
    expect((await get(url, "/set/x")).status).toBe(200);
    expect((await get(url, "/extra/do/x")).status).toBe(404);
  });

  test("fills in what reflection lacks", async () => {
    const types = craft("types", []);
    const { messageType: _, ...rest } = craft("acme", ["Do"]);
    const service = {
      ...rest,
      messageType: [],
      dependency: [...rest.dependency, "types.proto"],
    } as FileDescriptorProto;
    for (const method of service.service[0]?.method ?? [])
      Object.assign(method, { inputType: ".types.Item", outputType: ".types.Item" });
    const upstream = await startCrafted(reflectFiles(service), [types, service]);
    const { url, upstreams } = await startProxy([{ url: upstream.url, descriptorSet: descriptorSet(types) }]);
    await upstreams.ready;
    expect((await get(url, "/acme/do/x")).body).toEqual({ text: "Do x" });
  });

  test.each<[string, object, string]>([
    ["that is none", { descriptorSet: Uint8Array.of(255) }, "descriptorSet: expected a serialised google.protobuf."],
    ["that is missing", { reflection: false }, "reflection: expected descriptorSet to go with false, found none"],
  ])("%s stops the start", (_, options, reason) => {
    const upstreams = [{ url: "localhost:1", ...options }];
    expect(() => createServer({ routes: () => {}, upstreams })).toThrow(`createServer: upstreams[0].${reason}`);
  });
});

describe("two upstreams", () => {
  test("may have files of one name, and types of one name, and each is read by its own", async () => {
    const files = ["one", "two"].map((field) => craft(field, ["Do", "Fail"], { file: "service.proto", field: "text" }));
    const shared = ["one", "two"].map((field) => craft("shared", [], { file: "shared.proto", field }));
    const urls = await Promise.all(
      files.map(async (file, index) => {
        const item = shared[index] as FileDescriptorProto;
        const own = withImport(file, item.name);
        const service = buildServices(item, own).at(-1) as DescService;
        const Item = itemOf(service);
        const field = index === 0 ? "one" : "two";
        const any = {
          typeUrl: "type.googleapis.com/shared.Item",
          value: toBinary(Item, create(Item, { [field]: "y" })),
        };
        const routes = serveAll([service], (_, { name }) => {
          if (name === "Do") return { text: "x", any };
          const error = new ConnectError("no", Code.Aborted);
          error.details = [{ type: "shared.Item", value: any.value }];
          throw error;
        });
        return (await startUpstream([], { routes })).url;
      }),
    );
    const { url, upstreams, warnings } = await startProxy(urls.map((url) => ({ url })));
    await upstreams.ready;
    expect(warnings).toEqual([]);
    for (const field of ["one", "two"]) {
      const any = { "@type": "type.googleapis.com/shared.Item", [field]: "y" };
      expect((await get(url, `/${field}/do/x`)).body).toEqual({ text: "x", any });
      expect(await get(url, `/${field}/fail/x`)).toMatchObject({ status: 409, body: { details: [any] } });
      const headers = { "content-type": "application/json" };
      const connect = (method: string) =>
        fetch(`${url}/${field}.Service/${method}`, { method: "POST", headers, body: "{}" }).then((one) => one.json());
      expect(await connect("Do")).toEqual({ text: "x", any });
      expect(await connect("Fail")).toMatchObject({ details: [{ type: "shared.Item" }] });
    }
    // By reflection both files are there, the second under another name.
    const transport = createTransport({ protocol: "grpc", baseUrl: url });
    const { services, files: reflected } = await readSchema(transport, () => false, new AbortController().signal);
    expect(services).toEqual(["one.Service", "two.Service"]);
    expect(reflected.map(({ proto }) => proto.name)).toEqual(
      expect.arrayContaining(["service.proto", "2/service.proto", "shared.proto"]),
    );
    transport.close();
  });

  test("may have one service: the first serves it, with a warning", async () => {
    const first = await startUpstream([craft("acme", ["Do"])]);
    const second = await startUpstream([craft("acme", ["Do", "More"]), craft("extra", ["Do"])]);
    const { url, upstreams, warnings } = await startProxy([{ url: first.url }, { url: second.url }]);
    await upstreams.ready;
    expect(warnings).toEqual([`acme.Service: ${first.url} serves it, and not ${second.url}, which also has it`]);
    expect((await get(url, "/acme/do/x")).status).toBe(200);
    expect((await get(url, "/acme/more/x")).status).toBe(404);
    expect((await get(url, "/extra/do/x")).status).toBe(200);
    for (const protocol of protocols) {
      expect(await call(url, craft("acme", ["More"]), "More", protocol)).toBe("Unimplemented");
    }
  });
});

function withImport(file: FileDescriptorProto, name: string): FileDescriptorProto {
  return { ...file, dependency: [...file.dependency, name] };
}

function itemOf(service: DescService) {
  const shared = service.file.dependencies.find(({ name }) => name === "shared");
  const item = shared?.messages.find(({ name }) => name === "Item");
  if (item === undefined) throw new Error("expected shared.Item");
  return item;
}

describe("a schema with faults", () => {
  const good = craft("good", ["Do"]);

  test("is served without the services that cannot be used, and says why", async () => {
    const bad = craft("bad", ["Do"]);
    const broken = { ...bad, messageType: [...bad.messageType, ...bad.messageType] } as FileDescriptorProto;
    const upstream = await startCrafted(reflectFiles(good, broken), [good, bad]);
    const { url, upstreams, warnings } = await startProxy([{ url: upstream.url }]);
    await upstreams.ready;
    expect(warnings).toEqual([
      `${upstream.url}: bad.Service: bad.proto: file "bad.proto": expected each name once, found "Item" twice`,
    ]);
    expect((await get(url, "/good/do/x")).status).toBe(200);
    for (const protocol of protocols) {
      expect(await call(url, good, "Do", protocol)).toBe("Do x");
      expect(await call(url, bad, "Do", protocol)).toBe("Unimplemented");
    }
  });

  test("is passed on by reflection as it came", async () => {
    const unknownOption = Uint8Array.of(0xba, 0x3e, 1, 7);
    const bytes = Uint8Array.of(...serialise(good), ...unknownOption);
    const reflect: Reflector = (asked) =>
      asked.case === "fileContainingSymbol" ? filesAnswer(bytes) : reflectFiles(good)(asked);
    const upstream = await startCrafted(reflect, [good]);
    const { url, upstreams } = await startProxy([{ url: upstream.url }]);
    await upstreams.ready;
    const transport = createTransport({ protocol: "grpc", baseUrl: url });
    const { files } = await readSchema(transport, () => true, new AbortController().signal);
    expect(files.find(({ proto }) => proto.name === "good.proto")?.bytes).toEqual(bytes);
    expect(fromBinary(FileDescriptorProtoSchema, bytes).$unknown?.length).toBe(1);
    transport.close();
  });
});
