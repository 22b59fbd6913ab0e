// @grpc/grpc-js calls us: connections, and what becomes of the calls on them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { clientIdentity, strangerIdentity } from "../../support/certificates.js";
import { startTarget, startTargetForTest, targets } from "../../support/foreign-target.js";
import { call, openClient, openClientTo } from "./grpc-js-client.js";

const { unary, serverStream, bidiStream } = TestService.method;

describe.each(targets)("the connections of grpc-js, %s", (_, options) => {
  it("carry more calls at the same time than the server's limit of streams", async () => {
    const target = await startTargetForTest(options);
    const client = openClient(target);
    const texts = Array.from({ length: 400 }, (_, index) => `call ${index}`);
    const answers = await Promise.all(texts.map((text) => call(client, unary, [{ text, waitMs: 50 }])));
    expect(answers.flatMap(({ replies }) => replies.map(({ text }) => text))).toEqual(texts);
  });

  it("stay while the client pings them, with calls and without", async () => {
    const target = await startTargetForTest(options);
    const client = openClient(target, {
      "grpc.keepalive_time_ms": 20,
      "grpc.keepalive_timeout_ms": 1000,
      "grpc.keepalive_permit_without_calls": 1,
    });
    const first = await call(client, serverStream, [{ count: 3, waitMs: 200 }]);
    expect(first).toMatchObject({ replies: [{}, {}, {}], status: { code: status.OK } });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await call(client, unary, [{}])).status.code).toBe(status.OK);
  });

  it("are made again when the server comes back", async () => {
    const first = await startTarget(options);
    const client = openClient(first, { "grpc.initial_reconnect_backoff_ms": 100 });
    expect((await call(client, unary, [{}])).status.code).toBe(status.OK);
    await first.server.close();
    expect((await call(client, unary, [{}])).status.code).toBe(status.UNAVAILABLE);
    const patient = new Metadata({ waitForReady: true });
    const waiting = call(client, unary, [{ text: "there" }], { metadata: patient });
    await startTargetForTest({ ...options, port: Number(new URL(first.url).port) });
    expect(await waiting).toMatchObject({ replies: [{ text: "there" }], status: { code: status.OK } });
  });

  it("lose no call when another server takes the port over", async () => {
    const first = await startTarget(options);
    const client = openClient(first, { "grpc.initial_reconnect_backoff_ms": 100 });
    const metadata = new Metadata({ waitForReady: true });
    const answers: Promise<number>[] = [];
    const caller = setInterval(() => {
      const answer = call(client, unary, [{ waitMs: 20 }], { metadata });
      answers.push(answer.then(({ status }) => status.code));
    }, 2);
    onTestFinished(() => clearInterval(caller));
    await expect.poll(() => first.finished.length).toBeGreaterThan(20);
    await first.server.close();
    const second = await startTargetForTest({ ...options, port: Number(new URL(first.url).port) });
    await expect.poll(() => second.finished.length).toBeGreaterThan(20);
    clearInterval(caller);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([status.OK]));
    expect(first.finished.length + second.finished.length).toBe(answers.length);
  });

  it("end at their age and lose no call", async () => {
    const target = await startTargetForTest({ ...options, maxConnectionAgeMs: 200 });
    const client = openClient(target, { "grpc.initial_reconnect_backoff_ms": 100 });
    const codes: Promise<number>[] = [];
    const caller = setInterval(() => {
      codes.push(call(client, unary, [{ waitMs: 20 }]).then(({ status }) => status.code));
    }, 2);
    onTestFinished(() => clearInterval(caller));
    await expect.poll(() => target.peers.size, { timeout: 10_000 }).toBeGreaterThan(4);
    clearInterval(caller);
    expect(new Set(await Promise.all(codes))).toEqual(new Set([status.OK]));
  });

  it("let a call finish that was under way when the server began to close", async () => {
    const target = await startTarget(options);
    const client = openClient(target);
    const running = [unary, serverStream, bidiStream].map((method) =>
      call(client, method, [{ text: method.name, count: 2, waitMs: 100 }]),
    );
    await Promise.all([unary, serverStream, bidiStream].map(({ name }) => target.seen.started(name)));
    await target.server.close();
    const codes = (await Promise.all(running)).map(({ status }) => status.code);
    expect(codes).toEqual([status.OK, status.OK, status.OK]);
  });
});

describe.each(targets)("the retries of grpc-js, %s", (_, options) => {
  it("reach the server when it says that it is unavailable", async () => {
    const target = await startTargetForTest(options);
    const retryPolicy = {
      maxAttempts: 4,
      initialBackoff: "0.01s",
      maxBackoff: "0.01s",
      backoffMultiplier: 1,
      retryableStatusCodes: ["UNAVAILABLE"],
    };
    const config = { methodConfig: [{ name: [{ service: TestService.typeName }], retryPolicy }] };
    const client = openClient(target, { "grpc.service_config": JSON.stringify(config) });
    const metadata = new Metadata();
    metadata.set("x-attempts", "2");
    for (const method of [unary, serverStream]) {
      expect(await call(client, method, [{ text: "third", count: 1 }], { metadata })).toMatchObject({
        replies: [{ text: "third" }],
        status: { code: status.OK },
      });
    }
    expect(target.finished.map(({ code }) => code)).toEqual([14, 14, undefined, 14, 14, undefined]);
  });
});

describe.each(["fast", "reference"] as const)("grpc-js, %s lane", (lane) => {
  it("shows its certificate to a server that wants one", async () => {
    const target = await startTargetForTest({ lane, security: "mutual TLS" });
    for (const [identity, code] of [
      [clientIdentity, status.OK],
      [strangerIdentity, status.UNAVAILABLE],
    ] as const) {
      const client = openClient(target, {}, identity);
      expect((await call(client, Greeter.method.sayHello, [{}])).status.code).toBe(code);
    }
  });

  it("calls through a Unix socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "manywire-foreign-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const target = await startTargetForTest({ lane, security: "plaintext", path: join(folder, "socket") });
    const client = openClientTo(target.url);
    expect((await call(client, Greeter.method.sayHello, [{ name: "near" }])).replies).toMatchObject([
      { message: "Hello, near!" },
    ]);
  });
});
