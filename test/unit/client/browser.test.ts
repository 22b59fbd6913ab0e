// What `manywire/client` is in browsers: the same names, calls by `fetch`, and small bundles. Node's `fetch` stands in for the
// browser's here.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import * as browser from "../../../client/browser.js";
import type { ProtocolOptions } from "../../../client/index.js";
import * as node from "../../../client/index.js";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { collect, each, failureOf } from "../../support/outcome.js";
import { outputOf } from "../../support/program.js";
import { type RestServiceImpl, startRestServer } from "../../support/rest-service.js";
import { root } from "../../support/stage.js";

const { Code, ConnectError, createClient } = browser;

it("browsers have the names that Node has, but for compressions", () => {
  const names = Object.keys(node).filter((name) => !name.startsWith("compression"));
  expect(Object.keys(browser).sort()).toEqual(names.sort());
  expect(browser.protocols).toEqual(node.protocols.filter((protocol) => protocol !== "grpc"));
});

describe.each(browser.protocols)("%s by fetch", (protocol) => {
  async function connect(implementation: RestServiceImpl = {}, options: Partial<ProtocolOptions> = {}) {
    const server = await startRestServer(implementation, { mayCutCalls: true });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const transport = browser.createTransport({ protocol, baseUrl: server.url, ...options });
    onTestFinished(() => transport.close());
    return { server, transport, client: createClient(RestService, transport) };
  }

  it.each([true, false])("calls every kind of method that fetch can, binary: %s", async (useBinaryFormat) => {
    const { client, server } = await connect({}, { useBinaryFormat });
    expect(await client.whole({ text: "ä", number: 2n ** 60n, words: ["b"] })).toMatchObject({
      ...{ text: "ä", number: 2n ** 60n, words: ["b"] },
    });
    const replies = await collect(client.serverStream({ text: "s", number: 3n }));
    expect(replies.map(({ number }) => number)).toEqual([0n, 1n, 2n]);
    expect((await client.clientStream(each({ text: "a" }, { text: "b" }))).words).toEqual(["a", "b"]);
    expect(new Set(server.finished.map((call) => call.protocol))).toEqual(new Set([protocol]));
  });

  it("reads replies that are compressed", async () => {
    const { client } = await connect();
    const text = "a".repeat(5000);
    expect((await client.whole({ text })).text).toBe(text);
  });

  it("refuses bidirectional streams, and names the method", async () => {
    const { client } = await connect();
    const { code, rawMessage } = await failureOf(collect(client.bidiStream(each({ text: "a" }))));
    expect([code, rawMessage]).toEqual([
      Code.Unimplemented,
      "manywire.test.rest.v1.RestService/BidiStream: browsers cannot send and receive at the same time",
    ]);
  });

  it("gets errors with code, message and details", async () => {
    const { client } = await connect({
      whole() {
        const detail = { desc: ErrorInfoSchema, value: { reason: "R" } };
        throw new ConnectError("no", Code.NotFound, { "x-more": "m" }, [detail]);
      },
    });
    const error = await failureOf(client.whole({}));
    expect([error.code, error.rawMessage, error.metadata.get("x-more")]).toEqual([Code.NotFound, "no", "m"]);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "R" }]);
  });

  it("ends calls at their deadline, by their signal, and with the transport", async () => {
    const waiting: RestServiceImpl = {
      whole: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    };
    const { client, transport } = await connect(waiting);
    expect((await failureOf(client.whole({}, { timeoutMs: 50 }))).code).toBe(Code.DeadlineExceeded);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    expect((await failureOf(client.whole({}, { signal: controller.signal }))).code).toBe(Code.Canceled);
    setTimeout(() => transport.close(), 50);
    const closed = await failureOf(client.whole({}));
    expect([closed.code, closed.rawMessage]).toEqual([Code.Canceled, "the transport was closed"]);
  });

  it("is unavailable where there is no server, and sends by the fetch that it is given", async () => {
    const { client } = await connect({}, { baseUrl: "http://127.0.0.1:1" });
    expect((await failureOf(client.whole({}))).code).toBe(Code.Unavailable);
    const seen: RequestInit[] = [];
    const fetch = (url: string, init: RequestInit) => {
      seen.push(init);
      return globalThis.fetch(url, { ...init, credentials: "include" });
    };
    const own = await connect({}, { fetch });
    await own.client.whole({});
    expect(seen[0]).toMatchObject({ method: "POST", redirect: "error" });
    const names = [...new Headers(seen[0]?.headers).keys()];
    expect(names.filter((name) => ["te", "connection", "user-agent", "content-length"].includes(name))).toEqual([]);
  });
});

describe("options", () => {
  const options = { baseUrl: "http://localhost" };

  it.each([
    [{ ...options, protocol: "grpc" }, "protocol: expected connect, grpc-web, rest, found grpc, which needs trailers"],
    [{ ...options, protocol: "soap" }, 'protocol: expected connect, grpc-web, rest, found "soap"'],
    [{ protocol: "rest", baseUrl: "/api" }, 'baseUrl: expected an http: or https: URL, or a path, found "/api"'],
    [{ protocol: "rest", baseUrl: "unix:/x" }, 'baseUrl: expected an http: or https: URL, or a path, found "unix:/x"'],
    [
      { ...options, protocol: "connect", defaultTimeoutMs: 0 },
      "defaultTimeoutMs: expected more than 0 milliseconds, found 0",
    ],
  ])("%o are refused", (given, message) => {
    expect(() => browser.createTransport(given as never)).toThrow(message);
  });

  afterEach(() => void Reflect.deleteProperty(globalThis, "location"));

  it("a path is one of the page's origin", async () => {
    const server = await startRestServer();
    onTestFinished(() => server[Symbol.asyncDispose]());
    Object.assign(globalThis, { location: { href: `${server.url}/page` } });
    const client = createClient(RestService, browser.createConnectTransport({ baseUrl: "/" }));
    expect((await client.whole({ text: "a" })).text).toBe("a");
  });
});

/** The size of what a page loads that uses these names, in bytes of gzip. */
async function bundle(names: string): Promise<{ bytes: number; text: string }> {
  const esbuild = join(root, "node_modules", "esbuild", "bin", "esbuild");
  const options = ["--bundle", "--minify", "--format=esm", "--platform=browser", "--loader=ts", "--log-level=error"];
  const stdin = `export { ${names} } from "./client/browser.ts";`;
  const text = await outputOf(process.execPath, [esbuild, ...options], { stdin, cwd: root });
  return { bytes: gzipSync(text, { level: 9 }).length, text };
}

// connect-web 2.1.2 with `createClient`, for Connect alone, has 29,078 bytes.
describe("bundles", () => {
  it.each([
    ["createClient", 9_500],
    ["createClient, createConnectTransport", 33_500],
    ["createClient, createGrpcWebTransport", 32_500],
    ["createClient, createRestTransport", 40_500],
    ["createClient, createTransport", 47_200],
  ])("%s has at most %i bytes, and nothing of Node", { timeout: 60_000 }, async (names, maxBytes) => {
    const { bytes, text } = await bundle(names);
    expect(bytes).toBeLessThanOrEqual(maxBytes);
    expect(text).not.toMatch(/["']node:/);
  });
});
