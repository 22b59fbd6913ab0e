// Clients that others wrote: Google's own for REST, and the one for server-sent events.
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Readable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { EventSource } from "eventsource";
import gax from "google-gax";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { EverythingSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { type RestServiceImpl, startRestServer } from "../../support/rest-service.js";
import type { TestServerOptions } from "../../support/server.js";

const { fallback, protobuf } = gax;

async function start(implementation: RestServiceImpl = {}, options: TestServerOptions = {}) {
  const server = await startRestServer(implementation, options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const folders = [
  new URL("../../proto/", import.meta.url).pathname,
  new URL("../../../node_modules/google-gax/build/protos/", import.meta.url).pathname,
];

/** The test service as Google's client knows it: from the proto files, by protobuf.js. */
function loadService(): InstanceType<typeof protobuf.Service> {
  const root = new protobuf.Root();
  root.resolvePath = (_, name) => {
    const folder = folders.find((one) => existsSync(one + name));
    return folder === undefined ? null : folder + name;
  };
  root.loadSync("manywire/test/rest/v1/rest.proto");
  return root.lookupService("manywire.test.rest.v1.RestService");
}

/** Stands for credentials, which our server does not ask for. */
const auth = {
  getClient: async () => ({ universeDomain: "googleapis.com" }),
  fetch: (url: string, init: RequestInit) => fetch(url, init),
};

async function connect(implementation: RestServiceImpl = {}) {
  const server = await start(implementation, { rest: { errorShape: "google" }, mayCutCalls: false });
  const client = new fallback.GrpcClient({ auth: auth as never, fallback: true } as never);
  const { hostname, port } = new URL(server.url);
  const stub = await client.createStub(
    loadService() as never,
    { protocol: "http", servicePath: hostname, port: Number(port) } as never,
  );
  const settings = new gax.CallSettings({ retry: null } as never);
  return (method: string, descriptor?: object) => {
    const call = stub[method]?.bind(stub) as never;
    return fallback.createApiCall(Promise.resolve(call), settings, descriptor as never);
  };
}

const serverStream = new gax.StreamDescriptor(gax.StreamType.SERVER_STREAMING, true);
/** Pages of `words`: the token that a reply has in `note` goes into `text` of the next request. */
const pages = new gax.PageDescriptor("text", "note", "words");

describe("google-gax over REST", () => {
  test.each([
    ["whole", { text: "a/b", number: "9007199254740993", words: ["c"], node: { child: { number: 3 } } }],
    ["query", { text: "a b&c", words: ["c", "d"], node: { text: "x", number: 3 }, color: "COLOR_RED" }],
    ["template", { name: "projects/p/databases/d/documents/a/b", collection: "c d" }],
  ])("calls %s with %o, and gets it back", async (method, request) => {
    const callOf = await connect();
    const [reply] = (await callOf(method)(request)) as unknown as [object];
    expect(reply).toMatchObject(request);
  });

  test("understands an error, its code and its details", async () => {
    const details = [{ desc: ErrorInfoSchema, value: { reason: "R", domain: "d", metadata: { k: "v" } } }];
    const callOf = await connect({
      query: () => {
        throw new ConnectError("no such thing", Code.NotFound, undefined, details);
      },
    });
    const error = await (callOf("query")({ text: "a" }) as Promise<unknown>).then(
      () => undefined,
      (reason: InstanceType<typeof gax.GoogleError>) => reason,
    );
    expect(error).toMatchObject({ code: 5, reason: "R", domain: "d", errorInfoMetadata: { k: "v" } });
    expect(error?.message).toContain("no such thing");
  });

  test("asks for one page after the other", async () => {
    const asked: unknown[] = [];
    const callOf = await connect({
      query: ({ text, flag }) => {
        asked.push([text, flag]);
        const page = Number(text);
        return { words: [`${page}a`, `${page}b`], note: page < 2 ? String(page + 1) : "" };
      },
    });
    const call = callOf("query", pages);
    const [words] = (await call({ flag: true })) as unknown as [string[]];
    expect(words).toEqual(["0a", "0b", "1a", "1b", "2a", "2b"]);
    expect(asked).toEqual([
      ["", true],
      ["1", true],
      ["2", true],
    ]);
    const [first, next] = (await call({ flag: true }, { autoPaginate: false })) as unknown as [string[], object];
    expect([first, next]).toEqual([["0a", "0b"], { flag: true, text: "1" }]);
  });

  test("reads a server stream as it comes", async () => {
    const callOf = await connect();
    const stream = callOf("serverStream", serverStream)({ text: "s", number: 3 }) as unknown as Readable;
    const texts: unknown[] = [];
    stream.on("data", ({ text, number }) => texts.push([text, number]));
    await once(stream, "end");
    expect(texts).toEqual([
      ["s", "0"],
      ["s", "1"],
      ["s", "2"],
    ]);
  });

  const failing = (after: number): RestServiceImpl => ({
    async *serverStream() {
      for (let index = 0; index < after; index++) yield create(EverythingSchema, { text: "s" });
      throw new ConnectError("no more", Code.NotFound);
    },
  });

  test("gets the error that a stream has instead of replies", async () => {
    const callOf = await connect(failing(0));
    const stream = callOf("serverStream", serverStream)({ text: "s" }) as unknown as Readable;
    const error = await new Promise<Error>((resolve) => stream.once("error", resolve));
    expect(error).toMatchObject({ code: 5, message: expect.stringContaining("no more") });
  });

  // Its parser makes a message of each element, and leaves out the fields that it does not know: streamArrayParser.js.
  test("takes the error at the end of a stream for a reply that is empty", async () => {
    const callOf = await connect(failing(1));
    const stream = callOf("serverStream", serverStream)({ text: "s" }) as unknown as Readable;
    const texts: unknown[] = [];
    stream.on("data", ({ text }) => texts.push(text));
    await once(stream, "end");
    expect(texts).toEqual(["s", ""]);
  });
});

describe("eventsource", () => {
  test("gets every event, then the error, and says where it was when it comes again", async () => {
    const seen: (string | null)[] = [];
    const server = await start({
      async *serverStream({ text }, { requestHeader }) {
        seen.push(requestHeader.get("last-event-id"), requestHeader.get("accept"));
        yield { text: `${text}\n1` };
        yield { text: "2" };
        throw new ConnectError("no more", Code.NotFound);
      },
    });
    const source = new EventSource(`${server.url}/v1/server-stream/a%2Fb`);
    onTestFinished(() => source.close());
    const data: unknown[] = [];
    source.addEventListener("message", (event) => data.push(JSON.parse(event.data)));
    const error = await new Promise<MessageEvent>((resolve) => {
      source.addEventListener("error", (event) => {
        if ("data" in event) resolve(event as never);
      });
    });
    source.close();
    expect(data).toEqual([{ text: "a/b\n1" }, { text: "2" }]);
    expect(JSON.parse(error.data)).toEqual({ code: Code.NotFound, message: "no more", details: [] });
    expect(seen[1]).toBe("text/event-stream");
  });

  // It reconnects after 3 s, as browsers do.
  test.each([
    ["end", undefined],
    ["error", new ConnectError("no more", Code.NotFound)],
  ])("does not come again after the event %s", { timeout: 15_000 }, async (name, problem) => {
    let calls = 0;
    const server = await start({
      async *serverStream() {
        calls++;
        yield {};
        if (problem !== undefined) throw problem;
      },
    });
    const source = new EventSource(`${server.url}/v1/server-stream/a`);
    onTestFinished(() => source.close());
    const named = new Promise<MessageEvent>((resolve) => {
      source.addEventListener(name, (event) => "data" in event && resolve(event as never));
    });
    expect((await named).lastEventId).toBe("end-of-stream");
    await vi.waitUntil(() => source.readyState === EventSource.CLOSED, { timeout: 10_000 });
    expect(calls).toBe(1);
  });

  test("is refused by a status before the first event, and does not come again", async () => {
    const server = await start({
      // biome-ignore lint/correctness/useYield: it fails before it has anything.
      async *serverStream() {
        throw new ConnectError("no", Code.PermissionDenied);
      },
    });
    const source = new EventSource(`${server.url}/v1/server-stream/a`);
    onTestFinished(() => source.close());
    const error = await new Promise<{ code?: number }>((resolve) => source.addEventListener("error", resolve as never));
    expect([error.code, source.readyState]).toEqual([403, EventSource.CLOSED]);
  });
});
