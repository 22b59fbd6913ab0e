// Forwarded calls whose messages pass as they come: what the upstream gets of a request, byte for byte, and its caller of the
// response, over every protocol.
import { once } from "node:events";
import { type ClientHttp2Stream, constants } from "node:http2";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, type Interceptor } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer, type FinishedCall, type ServerOptions } from "../../server/index.js";
import type { UpstreamOptions } from "../../server/upstream/options.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { envelope, openEnvelopes } from "../support/envelopes.js";
import { beginRequest, openHttp2, type RawAnswer, type RawRequest, request } from "../support/http.js";
import { Random, seed } from "../support/random.js";
import { type RawCall, RawUpstream } from "../support/raw-upstream.js";
import type { Wire } from "./combinations.js";
import { decodeBase64 } from "./transport.js";
import { contentType, encodingHeaders, readOutcome, timeoutHeader, wrapBody } from "./wire.js";

const descriptorSet = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, { file: [TestService.file.proto] }),
);

type MethodName = "unary" | "get" | "serverStream" | "clientStream" | "bidiStream";

/** One way in which bytes pass. */
interface Front {
  readonly wire: Wire;
  readonly httpVersion: "1.1" | "2";
  readonly method: MethodName;
}

const fronts: Record<string, Front> = {
  "unary gRPC": { wire: "grpc", httpVersion: "2", method: "unary" },
  "streams of gRPC": { wire: "grpc", httpVersion: "2", method: "bidiStream" },
  "unary gRPC-Web": { wire: "grpc-web", httpVersion: "1.1", method: "unary" },
  "streams of gRPC-Web": { wire: "grpc-web", httpVersion: "2", method: "serverStream" },
  "unary gRPC-Web in base64": { wire: "grpc-web-text", httpVersion: "1.1", method: "unary" },
  "streams of gRPC-Web in base64": { wire: "grpc-web-text", httpVersion: "2", method: "bidiStream" },
  "unary Connect": { wire: "connect", httpVersion: "1.1", method: "unary" },
  "unary Connect over HTTP/2": { wire: "connect", httpVersion: "2", method: "unary" },
  "streams of Connect": { wire: "connect", httpVersion: "2", method: "bidiStream" },
};

let upstream: RawUpstream;
let proxy: Proxy;

beforeAll(async () => {
  upstream = await RawUpstream.start();
  proxy = await startProxy();
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

interface Proxy extends AsyncDisposable {
  readonly url: string;
  readonly finished: readonly FinishedCall[];
  close(): Promise<void>;
}

async function startProxy(options: Partial<ServerOptions> = {}, more: Partial<UpstreamOptions> = {}): Promise<Proxy> {
  const finished: FinishedCall[] = [];
  const server = createServer({
    port: 0,
    routes: () => {},
    upstreams: [{ url: upstream.address, descriptorSet, reflection: false, ...more }],
    onCall: (call) => void finished.push(call),
    ...options,
  });
  await server.listen();
  return { url: server.url, finished, close: () => server.close(), [Symbol.asyncDispose]: () => server.close() };
}

const methodOf = ({ method }: Pick<Front, "method">) => TestService.method[method];
const isEnveloped = ({ wire, method }: Front) => wire !== "connect" || (method !== "unary" && method !== "get");

function toRequest(front: Front, messages: readonly Uint8Array[], headers: RawRequest["headers"] = {}): RawRequest {
  const { wire, httpVersion } = front;
  const method = methodOf(front);
  return {
    httpVersion,
    path: `/${TestService.typeName}/${method.name}`,
    headers: { "content-type": contentType(wire, "proto", method), ...headers },
    body: wrapBody(
      wire,
      method,
      messages.map((data) => ({ flags: 0, data })),
    ),
  };
}

const call = (front: Front, message: Uint8Array = valid, headers: RawRequest["headers"] = {}, to = proxy) =>
  request(to.url, toRequest(front, [message], headers));

/** Messages of a response as they were sent. */
function messagesOf(front: Front, { body, text }: Pick<RawAnswer, "body" | "text">): Buffer[] {
  if (!isEnveloped(front)) return [body];
  const envelopes = openEnvelopes(front.wire === "grpc-web-text" ? decodeBase64(text) : body);
  return envelopes.filter(({ flags }) => flags <= 1).map(({ data }) => data);
}

const hexOf = (bytes: Buffer) => bytes.toString("hex");
const outcomeOf = (front: Front, answer: RawAnswer) => readOutcome(front.wire, "proto", methodOf(front), answer);

/** `text: "a"`, twice, and an unknown field before it: no encoder writes a message like this one, so it has not been encoded again. */
const valid = Buffer.from("c23e0268690a01610a0161", "hex");

describe.each(Object.entries(fronts))("%s", (_, front) => {
  const random = new Random(seed);

  test("passes messages as they are, whatever their bytes, both ways", async () => {
    for (let round = 0; round < 12; round++) {
      const sent = random.bytes(random.pick([0, 1, 5, 300, 5000]));
      const replied = random.bytes(random.pick([0, 1, 5, 300, 70_000]));
      let seen: Buffer = Buffer.alloc(0);
      upstream.script = async (call) => {
        seen = await call.body();
        call.reply(replied);
      };
      // Texts, because comparing the bytes one by one takes a second.
      expect(messagesOf(front, await call(front, sent)).map(hexOf)).toEqual([hexOf(replied)]);
      expect(hexOf(seen)).toBe(hexOf(envelope(sent)));
    }
  });

  test("passes trailers-only responses as errors, with message and metadata", async () => {
    upstream.script = (call) =>
      call.respondOnly({ "grpc-status": "9", "grpc-message": "b%C3%B6se", "x-why": "so", "grpc-encoding": "identity" });
    const answer = await call(front);
    const { code, message, trailers } = outcomeOf(front, answer);
    expect([code, message]).toEqual([Code.FailedPrecondition, "böse"]);
    expect(isEnveloped(front) ? trailers["x-why"] : answer.headers["x-why"]).toBe("so");
    if (front.wire === "grpc") expect([answer.body.length, answer.headers["grpc-status"]]).toEqual([0, "9"]);
  });

  test("takes a status in headers for none where others follow", async () => {
    upstream.script = (call) => call.respond({ "grpc-status": "5" }).write(envelope(valid)).end();
    const answer = await call(front);
    expect(outcomeOf(front, answer).code).toBeUndefined();
    expect(messagesOf(front, answer)).toEqual([valid]);
    expect(answer.headers["grpc-status"]).toBeUndefined();
    upstream.script = (call) => call.respond({ "grpc-status": "0" }).write(envelope(valid)).end({ "x-a": "b" });
    expect(outcomeOf(front, await call(front))).toMatchObject({
      code: Code.Internal,
      message: "protocol error: missing status",
    });
  });

  test("passes metadata both ways, but for that of the connection and of the protocol", async () => {
    const asked = upstream.next();
    upstream.script = (call) =>
      call
        .respond({ "x-head": "1", "set-cookie": ["a=1", "b=2"], "connect-strange": "x", server: "raw" })
        .write(envelope(valid))
        .end({ "grpc-status": "0", "x-tail": "2", "y-bin": "AAE" });
    const answer = await call(front, valid, {
      "x-one": "1",
      "y-bin": "AAE",
      authorization: "Bearer x",
      cookie: "a=1",
      ...(front.httpVersion === "1.1" && { connection: "x-hop", "x-hop": "1" }),
    });
    const { headers } = await asked;
    expect(headers).toMatchObject({ "x-one": "1", "y-bin": "AAE", authorization: "Bearer x", cookie: "a=1" });
    expect(headers).toMatchObject({ te: "trailers", ":authority": upstream.address, ":scheme": "http" });
    expect(headers["content-type"]).toBe("application/grpc+proto");
    for (const name of ["x-hop", "connection", "grpc-timeout", "x-grpc-web"]) expect(headers[name]).toBeUndefined();
    expect(answer.headers).toMatchObject({ "x-head": "1", "set-cookie": ["a=1", "b=2"], server: "raw" });
    expect(answer.headers["connect-strange"]).toBeUndefined();
    expect(outcomeOf(front, answer).trailers).toMatchObject({ "x-tail": "2", "y-bin": "AAE" });
  });

  test("asks for a compression that its caller takes, and passes messages compressed", async () => {
    const names = encodingHeaders(front.wire, methodOf(front));
    const asked = upstream.next();
    const packed = gzipSync(valid);
    upstream.script = (call) => call.respond({ "grpc-encoding": "gzip" }).write(envelope(packed, 1)).end();
    const answer = await call(front, valid, { [names.accept]: "gzip" });
    expect((await asked).headers["grpc-accept-encoding"]).toBe("gzip");
    expect(answer.headers[names.encoding]).toBe("gzip");
    expect(messagesOf(front, answer)).toEqual([packed]);
    expect(outcomeOf(front, answer).compressed).toBe(1);
    expect(outcomeOf(front, await call(front))).toMatchObject({
      code: Code.Internal,
      message: 'unsupported response encoding "gzip"',
    });
  });

  test("passes a compressed request as it is once the upstream has said that it takes it", async () => {
    const { encoding } = encodingHeaders(front.wire, methodOf(front));
    await using other = await startProxy();
    const packed = gzipSync(valid);
    const compressed = { ...toRequest(front, [packed], { [encoding]: "gzip" }) };
    if (isEnveloped(front)) {
      compressed.body = wrapBody(front.wire, methodOf(front), [{ flags: 1, data: packed }]);
    }
    upstream.script = async (call) => {
      const [message] = openEnvelopes(await call.body());
      call.respond({ "grpc-accept-encoding": "identity, gzip" });
      call.write(envelope(`\n\u0003${message?.flags}${call.headers["grpc-encoding"] ?? "no"}`.slice(0, 5))).end();
    };
    const ask = async () => outcomeOf(front, await request(other.url, compressed)).replies.map(({ text }) => text);
    expect(await ask()).toEqual(["0no"]);
    expect(await ask()).toEqual(["1gz"]);
  });

  test("tells the upstream what is left of the deadline, and keeps it also against a reset", async () => {
    const asked = upstream.next();
    upstream.script = async (call) => {
      const timeoutMs = Number.parseInt(String(call.headers["grpc-timeout"]), 10);
      await delay(timeoutMs - 3);
      call.stream.close(8);
    };
    const begun = performance.now();
    const answer = await call(front, valid, timeoutHeader(front.wire, 300));
    expect(outcomeOf(front, answer).code).toBe(Code.DeadlineExceeded);
    expect(performance.now() - begun).toBeLessThan(600);
    const { headers } = await asked;
    expect(headers["grpc-timeout"]).toMatch(/^\d+m$/);
    const leftMs = Number.parseInt(String(headers["grpc-timeout"]), 10);
    expect(leftMs).toBeGreaterThan(250);
    expect(leftMs).toBeLessThanOrEqual(300);
  });

  test("passes a reset of the upstream as an error", async () => {
    upstream.script = (call) => call.stream.close(2);
    expect(outcomeOf(front, await call(front)).code).toBe(Code.Internal);
    upstream.script = (call) => call.stream.close(11);
    expect(outcomeOf(front, await call(front)).code).toBe(Code.ResourceExhausted);
  });

  test("refuses messages over the limits, both ways, by their heads", async () => {
    await using small = await startProxy({ readMaxBytes: 100 }, { readMaxBytes: 200 });
    upstream.script = () => {};
    const refused = await call(front, Buffer.alloc(101), {}, small);
    expect(outcomeOf(front, refused)).toMatchObject({ code: Code.ResourceExhausted });
    const asked = upstream.next();
    upstream.script = (call) => call.respond().write(envelope("", 0, 201));
    const broken = await call(front, valid, {}, small);
    expect(outcomeOf(front, broken)).toMatchObject({
      code: Code.ResourceExhausted,
      message: "message size 201 is larger than configured readMaxBytes 200",
    });
    expect(await (await asked).closed()).toBe(8);
  });

  test("lets no envelope of the upstream pass that would end the response", async () => {
    for (const flags of [2, 0x80, 3]) {
      upstream.script = (call) => call.respond().write(envelope("{}", flags)).end();
      expect(outcomeOf(front, await call(front))).toMatchObject({
        code: Code.Internal,
        message: `protocol error: unexpected envelope flags ${flags}`,
      });
    }
    upstream.script = (call) => call.respond().write(envelope(valid, 1)).end();
    expect(outcomeOf(front, await call(front)).code).toBe(Code.Internal);
  });

  test("gives its observer the facts of each call", async () => {
    await using observed = await startProxy();
    upstream.script = (call) => call.reply(valid);
    await call(front, valid, {}, observed);
    upstream.script = (call) => call.respondOnly({ "grpc-status": "9", "grpc-message": "no" });
    await call(front, valid, {}, observed);
    await expect.poll(() => observed.finished.length).toBe(2);
    const [good, bad] = observed.finished;
    const protocol = front.wire.replace("-text", "");
    const path = `/${TestService.typeName}/${methodOf(front).name}`;
    expect([good?.protocol, good?.method.path, good?.code]).toEqual([protocol, path, undefined]);
    expect([bad?.protocol, bad?.code, bad?.error?.rawMessage]).toEqual([protocol, Code.FailedPrecondition, "no"]);
  });

  test("cancels the upstream's call within 100 ms when the caller leaves", async () => {
    upstream.script = () => {};
    const asked = upstream.next();
    const { body, ...options } = toRequest(front, [valid]);
    const open = await beginRequest(proxy.url, options);
    open.body.write(body);
    if (!isEnveloped(front)) open.body.end();
    const { stream } = await asked;
    await delay(20);
    expect(stream.closed).toBe(false);
    const left = performance.now();
    open.vanish();
    await once(stream, "close");
    expect(stream.rstCode).toBe(8);
    expect(performance.now() - left).toBeLessThan(100);
    await open[Symbol.asyncDispose]();
  });
});

test.each(Object.entries(fronts))("%s: is sent again, whole, where the upstream has refused it", async (_, front) => {
  const seen: string[] = [];
  upstream.script = async (call) => {
    seen.push(hexOf(await call.body()));
    if (seen.length === 1) call.stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else call.reply(valid);
  };
  expect(messagesOf(front, await call(front))).toEqual([valid]);
  expect(seen).toEqual([hexOf(envelope(valid)), hexOf(envelope(valid))]);
});

test("passes on Node's own HTTP/2, too", async () => {
  await using other = await startProxy({ http2: "node" });
  for (const front of Object.values(fronts)) {
    upstream.script = (call) => call.reply(valid);
    expect(messagesOf(front, await call(front, valid, {}, other))).toEqual([valid]);
    upstream.script = (call) => call.respondOnly({ "grpc-status": "9" });
    expect(outcomeOf(front, await call(front, valid, {}, other)).code).toBe(Code.FailedPrecondition);
  }
});

test("passes where requests come by fetch", async () => {
  const server = createServer({
    routes: () => {},
    upstreams: [{ url: upstream.address, descriptorSet, reflection: false }],
  });
  upstream.script = (call) => call.reply(valid);
  for (const front of Object.values(fronts).filter(({ method, wire }) => method === "unary" && wire !== "grpc")) {
    const { path, headers, body } = toRequest(front, [valid]);
    const init = { method: "POST", headers: headers as Record<string, string>, body: body as Buffer<ArrayBuffer> };
    const response = await server.fetch(new Request(`http://localhost${path}`, init));
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(messagesOf(front, { body: bytes, text: bytes.toString() })).toEqual([valid]);
  }
  await server.close();
});

/** Calls whose messages are decoded agree with those whose bytes pass. */
const decoding: Interceptor = (next) => (request) => next(request);

test.each(Object.entries(fronts))("%s: decoded messages are the same, though not their bytes", async (_, front) => {
  await using transcoder = await startProxy({ interceptors: [decoding] });
  upstream.script = async (call) => {
    await call.body();
    call.respond({ "x-head": "1" }).write(envelope(valid)).end({ "grpc-status": "0", "x-tail": "2" });
  };
  const [passed, decoded] = [await call(front), await call(front, valid, {}, transcoder)];
  expect(outcomeOf(front, decoded)).toEqual(outcomeOf(front, passed));
  expect(messagesOf(front, passed)).toEqual([valid]);
  expect(messagesOf(front, decoded)).not.toEqual([valid]);
});

test("the message of a Connect GET passes as it is", async () => {
  let seen: Buffer = Buffer.alloc(0);
  upstream.script = async (call) => {
    seen = await call.body();
    call.reply(valid);
  };
  const query = `?connect=v1&encoding=proto&base64=1&message=${valid.toString("base64url")}`;
  const path = `/${TestService.typeName}/Get${query}`;
  const answer = await request(proxy.url, { method: "GET", path });
  expect([answer.status, answer.headers["content-type"], answer.body]).toEqual([200, "application/proto", valid]);
  expect(openEnvelopes(seen)).toEqual([{ flags: 0, data: valid }]);
});

test("details of an error pass to gRPC and gRPC-Web as they are", async () => {
  // google.rpc.Status: code 9, message "no", an Any with a prefix of its own, and an unknown field.
  const any = `0a0a${Buffer.from("type/a.b.c").toString("hex")}1203010203`;
  const details = Buffer.from(`080912026e6f1a11${any}b80100`, "hex").toString("base64").replaceAll("=", "");
  upstream.script = (call) =>
    call.respond().end({ "grpc-status": "9", "grpc-message": "no", "grpc-status-details-bin": details });
  for (const front of Object.values(fronts)) {
    const { code, message, trailers } = outcomeOf(front, await call(front));
    expect([code, message]).toEqual([Code.FailedPrecondition, "no"]);
    if (front.wire !== "connect") expect(trailers["grpc-status-details-bin"]).toBe(details);
  }
});

test("a malformed status is an error of the proxy's words", async () => {
  const trailers = [{ "grpc-status": "99" }, { "grpc-status": "x" }, { "grpc-status": "" }, {}];
  for (const front of Object.values(fronts)) {
    for (const one of trailers) {
      upstream.script = (call) => call.respond().write(envelope(valid)).end(one);
      const { code } = outcomeOf(front, await call(front));
      expect([Code.Unknown, Code.Internal]).toContain(code);
    }
  }
});

describe("what is no response of gRPC", () => {
  const cases: [text: string, respond: (call: RawCall) => unknown, code: Code][] = [
    ["an HTTP error", ({ stream }) => stream.respond({ ":status": 503 }, { endStream: true }), Code.Unavailable],
    ["a page", ({ stream }) => stream.respond({ ":status": 200, "content-type": "text/html" }), Code.Unknown],
  ];
  test.each(cases)("%s is an error", async (_, respond, code) => {
    for (const front of Object.values(fronts)) {
      upstream.script = respond;
      expect(outcomeOf(front, await call(front)).code).toBe(code);
    }
  });

  test("a message that is cut is an error, where nothing can follow it a reset", async () => {
    upstream.script = (call) =>
      call
        .respond()
        .write(envelope("", 0, 9))
        .end();
    for (const front of Object.values(fronts)) {
      const answered = call(front);
      if (front.wire === "grpc") expect((await answered).trailers["grpc-status"]).toBe(String(Code.Internal));
      else if (isEnveloped(front)) await expect(answered).rejects.toThrow();
      else expect(outcomeOf(front, await answered).code).toBe(Code.Internal);
    }
  });
});

describe("a request with other than one message", () => {
  const single: Front = { wire: "grpc", httpVersion: "2", method: "unary" };

  test.each([
    ["none", []],
    ["two", [valid, valid]],
  ])("%s of them: unimplemented", async (_, messages) => {
    upstream.script = (call) => call.reply(valid);
    for (const front of [single, { ...single, method: "serverStream" } as const]) {
      const answer = await request(proxy.url, toRequest(front, messages));
      expect(outcomeOf(front, answer).code).toBe(Code.Unimplemented);
    }
  });

  test("a response without a message is an error, and one with two", async () => {
    for (const method of ["unary", "clientStream"] as const) {
      const front = { ...single, method };
      for (const messages of [[], [valid, valid]]) {
        upstream.script = (call) => call.reply(...messages);
        expect(outcomeOf(front, await call(front)).code).toBe(Code.Unimplemented);
      }
    }
  });

  test("a body that is cut is an error, and cancels the upstream's call", async () => {
    const asked = upstream.next();
    const front = { ...single, method: "bidiStream" } as const;
    upstream.script = () => {};
    const answer = await request(proxy.url, { ...toRequest(front, []), body: Buffer.from([0, 0, 0, 0, 9, 1]) });
    expect(outcomeOf(front, answer)).toMatchObject({
      code: Code.InvalidArgument,
      message: "protocol error: incomplete envelope",
    });
    expect(await (await asked).closed()).toBe(8);
  });
});

test("a message of a stream passes before the next one is sent", async () => {
  const front: Front = { wire: "grpc", httpVersion: "2", method: "bidiStream" };
  upstream.script = (call) => {
    call.respond();
    call.stream.on("data", (chunk: Buffer) => call.write(chunk));
    call.stream.on("end", () => call.end());
  };
  await using open = await beginRequest(proxy.url, toRequest(front, []));
  const chunks: Buffer[] = [];
  (open.body as ClientHttp2Stream).on("data", (chunk: Buffer) => chunks.push(chunk));
  for (let index = 0; index < 5; index++) {
    open.body.write(envelope(`message ${index}`));
    await expect.poll(() => openEnvelopes(Buffer.concat(chunks)).length).toBe(index + 1);
  }
  open.body.end();
});

describe("back pressure", () => {
  const front: Front = { wire: "grpc", httpVersion: "2", method: "bidiStream" };
  const message = envelope(Buffer.alloc(64 * 1024));
  const total = 100 * 1024 * 1024;
  /** Windows of both hops, and what sockets buffer. */
  const heldMax = 8 * 1024 * 1024;

  test("an upstream that does not read holds the caller back", async () => {
    const asked = upstream.next();
    upstream.script = () => {};
    await using open = await beginRequest(proxy.url, toRequest(front, []));
    const sent = await writeUntilBlocked(open.body, message, total);
    expect(sent).toBeLessThan(heldMax);
    const { stream } = await asked;
    let received = 0;
    stream.on("data", ({ length }: Buffer) => {
      received += length;
    });
    const writing = writeAll(open.body, message, total - sent);
    const rss = process.memoryUsage().rss;
    await writing;
    await expect.poll(() => received, { timeout: 30_000 }).toBe(Math.ceil(total / message.length) * message.length);
    expect(process.memoryUsage().rss - rss).toBeLessThan(100 * 1024 * 1024);
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "0" }, { endStream: true });
    await open.answer;
  });

  test("a caller that does not read holds the upstream back", async () => {
    const asked = upstream.next();
    upstream.script = (call) => call.respond();
    await using connection = await openHttp2(proxy.url);
    const reader = connection.begin(toRequest(front, []));
    const call = await asked;
    const sent = await writeUntilBlocked(call.stream, message, total);
    expect(sent).toBeLessThan(heldMax);
    let received = 0;
    reader.on("data", ({ length }: Buffer) => {
      received += length;
    });
    await writeAll(call.stream, message, total - sent);
    call.end();
    await once(reader, "end");
    expect(received).toBe(Math.ceil(total / message.length) * message.length);
  });

  test("the rest of a request is read and dropped once its call has failed", async () => {
    upstream.script = (call) => call.respondOnly({ "grpc-status": "8", "grpc-message": "enough" });
    for (const wire of ["grpc", "grpc-web", "connect"] as const) {
      const wanted: Front = { wire, httpVersion: "2", method: wire === "connect" ? "clientStream" : "bidiStream" };
      await using open = await beginRequest(proxy.url, toRequest(wanted, []));
      const sent = await writeUntilBlocked(open.body, message, 4 * 1024 * 1024);
      expect(outcomeOf(wanted, await open.answer).code, `${wire} after ${sent} bytes`).toBe(Code.ResourceExhausted);
    }
  });
});

/** Writes until nothing has left for a while, or to a total. Returns how many bytes were written. */
async function writeUntilBlocked(target: Writable, chunk: Buffer, total: number): Promise<number> {
  let sent = 0;
  while (sent < total && !target.destroyed && !target.writableEnded) {
    sent += chunk.length;
    if (!target.write(chunk) && !(await Promise.race([once(target, "drain"), delay(300)]))) return sent;
  }
  return sent;
}

async function writeAll(target: Writable, chunk: Buffer, total: number): Promise<void> {
  if (target.writableNeedDrain) await once(target, "drain");
  for (let sent = 0; sent < total; sent += chunk.length) if (!target.write(chunk)) await once(target, "drain");
}

test("a server that closes waits for calls that pass", async () => {
  const closing = await startProxy({ drainTimeoutMs: 5000 });
  const asked = upstream.next();
  upstream.script = () => {};
  const front = fronts["unary gRPC"] as Front;
  const answer = call(front, valid, {}, closing);
  const asked1 = await asked;
  const closed = closing.close();
  await delay(50);
  asked1.reply(valid);
  expect(messagesOf(front, await answer)).toEqual([valid]);
  await closed;
});

describe("passUnknownMethods", () => {
  const unknown = (path: string, type: string, httpVersion: "1.1" | "2" = "2"): RawRequest => ({
    httpVersion,
    path,
    headers: { "content-type": type },
    body: envelope(valid),
  });

  test("passes calls of gRPC and gRPC-Web of methods that no schema has", async () => {
    await using passing = await startProxy({}, { passUnknownMethods: true });
    const asked = upstream.next();
    upstream.script = (call) => call.reply(valid, valid);
    const answer = await request(passing.url, unknown("/a.b.C/D", "application/grpc"));
    expect(openEnvelopes(answer.body).map(({ data }) => data)).toEqual([valid, valid]);
    expect(answer.trailers["grpc-status"]).toBe("0");
    expect((await asked).headers[":path"]).toBe("/a.b.C/D");
    const web = await request(passing.url, unknown("/a.b.C/D", "application/grpc-web", "1.1"));
    expect(openEnvelopes(web.body).map(({ flags }) => flags)).toEqual([0, 0, 0x80]);
    await expect.poll(() => passing.finished.map(({ method }) => method.path)).toEqual(["/a.b.C/D", "/a.b.C/D"]);
  });

  test("passes neither Connect and JSON, nor reflection and health", async () => {
    await using passing = await startProxy({ reflection: false }, { passUnknownMethods: true });
    upstream.script = (call) => call.reply(valid);
    const statusOf = async (path: string, type: string) => {
      const { status, headers } = await request(passing.url, unknown(path, type));
      return [status, headers["grpc-status"]];
    };
    expect(await statusOf("/a.b.C/D", "application/proto")).toEqual([404, undefined]);
    expect(await statusOf("/a.b.C/D", "application/grpc+json")).toEqual([200, "12"]);
    expect(await statusOf("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "application/grpc")).toEqual([
      200,
      "12",
    ]);
    expect(await statusOf("/a/b/c", "application/grpc")).toEqual([200, "12"]);
  });

  test("is off by default", async () => {
    const answer = await request(proxy.url, unknown("/a.b.C/D", "application/grpc"));
    expect(answer.headers["grpc-status"]).toBe("12");
  });

  test("keeps to the protocols of the server", async () => {
    await using passing = await startProxy({ grpc: false }, { passUnknownMethods: true });
    upstream.script = (call) => call.reply(valid);
    expect((await request(passing.url, unknown("/a.b.C/D", "application/grpc"))).headers["grpc-status"]).toBe("12");
  });

  test("passes before the schema is known", async () => {
    await using passing = await startProxy(
      {},
      { passUnknownMethods: true, descriptorSet: undefined, reflection: true },
    );
    upstream.script = (call) => call.reply(valid);
    const answer = await request(passing.url, unknown("/a.b.C/D", "application/grpc"));
    expect(openEnvelopes(answer.body).length).toBe(1);
  });

  test("is refused where calls could go astray", () => {
    const create = (options: Partial<ServerOptions>, ...upstreams: UpstreamOptions[]) => {
      return () => createServer({ routes: () => {}, upstreams, ...options });
    };
    const one = { url: "localhost:1", passUnknownMethods: true };
    const place = "upstreams[0].passUnknownMethods";
    expect(create({}, one, { url: "localhost:2" })).toThrow(`${place}: expected a single upstream, found 2`);
    expect(create({}, { ...one, services: ["a.B"] })).toThrow(`${place}: expected no "services" beside it`);
    expect(create({ interceptors: [decoding] }, one)).toThrow(
      `${place}: expected no interceptors beside it, which need messages`,
    );
  });
});
