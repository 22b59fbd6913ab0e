// What a server tells of a large API: none of it may hold up the calls of other clients.
import { gunzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { createTransport } from "../../../client/index.js";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.js";
import { createServer } from "../../../server/index.js";
import { request } from "../../support/http.js";
import { createLargeApi, methodCount } from "./large-api.js";

const { services, descriptorSet } = createLargeApi();

function create() {
  return createServer({
    port: 0,
    docs: { descriptorSet },
    routes: (router) => {
      for (const service of services) router.service(service, {});
    },
  });
}

/** Calls `use` with the URL of a server that has had no request yet. */
async function withServer<T>(use: (url: string) => Promise<T>): Promise<T> {
  const server = create();
  await server.listen();
  try {
    return await use(server.url);
  } finally {
    await server.close();
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * The longest time without a turn of the event loop, in milliseconds. Time in which the process did not run is not counted,
 * because tests run beside each other.
 */
async function longestStopMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isOver = false;
  const watch = (wall: number, cpu: number) => {
    const [wallNow, cpuNow] = [performance.now(), cpuMs()];
    longest = Math.max(longest, Math.min(wallNow - wall, cpuNow - cpu));
    if (!isOver) setImmediate(watch, wallNow, cpuNow);
  };
  watch(performance.now(), cpuMs());
  await work();
  isOver = true;
  return longest;
}

async function reflect(url: string): Promise<Uint8Array[]> {
  using transport = createTransport({ protocol: "grpc", baseUrl: url });
  async function* requests() {
    yield { messageRequest: { case: "fileContainingSymbol", value: services[0]?.typeName ?? "" } } as const;
  }
  for await (const { messageResponse } of createClient(ServerReflection, transport).serverReflectionInfo(requests())) {
    if (messageResponse.case === "fileDescriptorResponse") return messageResponse.value.fileDescriptorProto;
  }
  throw new Error("no files");
}

const get = (path: string, headers: Record<string, string> = {}) => {
  return async (url: string) => {
    expect((await request(url, { method: "GET", path, headers })).status).toBe(200);
  };
};

/** Before documents were made in slices: 700 ms for JSON, 3.7 s for YAML. The limit has room for slow machines. */
const limitMs = 200;

describe(`an API of ${methodCount} methods stops the event loop for less than ${limitMs} ms`, () => {
  it.each<[string, (url: string) => Promise<unknown>]>([
    ["/openapi.json", get("/openapi.json")],
    ["/openapi.json, compressed", get("/openapi.json", { "accept-encoding": "gzip" })],
    ["/openapi.yaml", get("/openapi.yaml")],
    ["the landing page", get("/", { accept: "text/html" })],
    ["the landing page as text", get("/")],
    ["/docs", get("/docs")],
    ["the first answer of reflection", reflect],
  ])(
    "%s",
    async (_, ask) => {
      let shortest = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 3 && shortest > limitMs; attempt++) {
        shortest = Math.min(shortest, await withServer((url) => longestStopMs(() => ask(url))));
      }
      expect(shortest).toBeLessThan(limitMs);
    },
    120_000,
  );
});

it("requests at one time get the same document, which is that of the server", { timeout: 120_000 }, async () => {
  const [json, again, compressed] = await withServer((url) =>
    Promise.all(
      [{}, {}, { "accept-encoding": "gzip" }].map((headers) =>
        request(url, { method: "GET", path: "/openapi.json", headers }),
      ),
    ),
  );
  const expected = `${JSON.stringify(create().openApi())}\n`;
  expect(json?.text === expected).toBe(true);
  expect([again?.text === expected, again?.headers.etag]).toEqual([true, json?.headers.etag]);
  expect(gunzipSync(compressed?.body ?? "").toString() === expected).toBe(true);
});

it("reflection sends a file of more than 4 MiB without its source info", async () => {
  expect(descriptorSet.length).toBeGreaterThan(4 * 1024 * 1024);
  const [bytes = new Uint8Array()] = await withServer(reflect);
  expect(bytes.length).toBeLessThan(2 * 1024 * 1024);
  const file = fromBinary(FileDescriptorProtoSchema, bytes);
  expect([file.name, file.sourceCodeInfo]).toEqual(["large/v1/large.proto", undefined]);
  expect(file.service.flatMap(({ method }) => method)).toHaveLength(methodCount);
});
