// Google's grpc-web client, in the browser that it is made for, calls us in both of its modes.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import type * as GrpcWeb from "grpc-web";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { openPage, startBrowser } from "./browser.js";
import { type BuiltServer, startSecure, startTestServices } from "./server.js";

let browser: Browser;
let library: string;

beforeAll(async () => {
  browser = await startBrowser();
  library = await readFile(createRequire(import.meta.url).resolve("grpc-web"), "utf8");
});

afterAll(() => browser?.close());

/** What a call told. */
interface Told {
  replies: number[][];
  status: number | undefined;
  message: string | undefined;
  trailer: string | undefined;
}

type CallArguments = {
  url: string;
  name: string;
  kind: string;
  request: number[];
  format: string;
  metadata: GrpcWeb.Metadata;
};

/** Runs in the browser: messages go in and out as bytes. */
function callInPage({ url, name, kind, request, format, metadata }: CallArguments): Promise<Told> {
  const { grpcWeb } = globalThis as unknown as { grpcWeb: typeof GrpcWeb };
  const client = new grpcWeb.GrpcWebClientBase({ format });
  const descriptor = new grpcWeb.MethodDescriptor<Uint8Array, number[]>(
    name,
    kind,
    Object as never,
    Object as never,
    (bytes: Uint8Array) => bytes,
    (bytes: Uint8Array) => [...bytes],
  );
  const told: Told = { replies: [], status: undefined, message: undefined, trailer: undefined };
  return new Promise((resolve) => {
    const stream = client.serverStreaming(`${url}${name}`, Uint8Array.from(request), metadata, descriptor);
    stream.on("data", (reply) => told.replies.push(reply as unknown as number[]));
    stream.on("status", ({ code, details, metadata: trailer }) => {
      told.status ??= code;
      told.message ??= details;
      told.trailer ??= trailer?.["x-echo-trailer-one"];
    });
    stream.on("error", ({ code, message }) => {
      told.status ??= code;
      told.message ??= message;
      resolve(told);
    });
    stream.on("end", () => resolve(told));
  });
}

async function call<I extends DescMessage>(
  page: Page,
  format: string,
  method: DescMethod & { input: I },
  request: MessageInitShape<I>,
  metadata: GrpcWeb.Metadata = {},
) {
  const { replies, ...rest } = await page.evaluate(callInPage, {
    url: new URL(page.url()).origin,
    name: `/${method.parent.typeName}/${method.name}`,
    kind: method.methodKind,
    request: [...toBinary(method.input, create(method.input, request))],
    format,
    metadata,
  });
  const { output } = method;
  return { ...rest, replies: replies.map((reply) => toJson(output, fromBinary(output, Uint8Array.from(reply)))) };
}

/** A page of the server, with the library in it. A page of ours would allow no script but its own. */
async function openWithLibrary(server: BuiltServer) {
  // Chromium looks for the icon of whatever is no HTML page.
  const allowed = [/^Failed to load resource: the server responded with a status of 404/];
  const opened = await openPage(browser, `${server.url}/healthz`, { ignoreHTTPSErrors: true, allowed });
  await opened.page.evaluate(`{ const exports = {}; ${library}; globalThis.grpcWeb = exports; undefined }`);
  return opened;
}

const securities = [
  ["HTTP/1.1", startTestServices],
  ["HTTP/2 with TLS", startSecure],
] as const;
const modes = ["binary", "text"] as const;
const combinations = securities.flatMap(([name, start]) => modes.map((mode) => [name, mode, start] as const));

describe.each(combinations)("grpc-web in Chromium over %s, %s", (_, format, start) => {
  it("calls a method, and gets its trailers", async () => {
    await using server = await start();
    await using opened = await openWithLibrary(server);
    const data = Uint8Array.from({ length: 300 }, (_, index) => index);
    const metadata = { "x-echo-trailer-one": "1" };
    expect(await call(opened.page, format, TestService.method.unary, { text: "Zoë 🙂", data }, metadata)).toEqual({
      replies: [{ text: "Zoë 🙂", data: Buffer.from(data).toString("base64") }],
      status: 0,
      message: "",
      trailer: "1",
    });
  });

  it("gets a server's stream", async () => {
    await using server = await start();
    await using opened = await openWithLibrary(server);
    const told = await call(opened.page, format, TestService.method.serverStream, { text: "a", count: 3 });
    expect(told).toMatchObject({
      status: 0,
      replies: [{ text: "a" }, { text: "a", index: 1 }, { text: "a", index: 2 }],
    });
  });

  it("gets the code of a failure, also after replies", async () => {
    await using server = await start();
    await using opened = await openWithLibrary(server);
    const failure = { code: 5, message: "no such thing: ü", after: 2 };
    const told = await call(opened.page, format, TestService.method.serverStream, { count: 3, failure });
    expect(told).toMatchObject({ status: 5, message: failure.message, replies: [{}, { index: 1 }] });
    const missing = await call(opened.page, format, TestService.method.missing, {});
    expect(missing).toMatchObject({ status: 12, replies: [] });
  });
});
