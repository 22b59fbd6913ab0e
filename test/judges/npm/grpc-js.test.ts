// @grpc/grpc-js calls us: calls.
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.js";
import { Health, HealthCheckResponse_ServingStatus } from "../../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { startTargetForTest, type TargetOptions, targets } from "../../support/foreign-target.js";
import { call, openClient } from "./grpc-js-client.js";

const { unary, get, serverStream, clientStream, bidiStream, missing } = TestService.method;
/** The server may learn a little later than the client that a call has ended. */
const patience = { timeout: 3000 };
const ok = { code: status.OK, details: expect.anything() };

async function connect(options: TargetOptions) {
  const target = await startTargetForTest(options);
  return { target, client: openClient(target) };
}

describe.each(targets)("grpc-js, %s", (_, options) => {
  it("says hello", async () => {
    const { client } = await connect(options);
    const { sayHello, sayHelloAgain } = Greeter.method;
    expect((await call(client, sayHello, [{ name: "you" }])).replies).toMatchObject([{ message: "Hello, you!" }]);
    expect((await call(client, sayHelloAgain, [{ name: "you" }])).replies).toMatchObject([
      { message: "Hello, you Again!" },
    ]);
  });

  it("calls every kind of method", async () => {
    const { client } = await connect(options);
    const data = Buffer.from([0, 1, 255]);
    const texts = ["a", "b", "ç"].map((text) => ({ text }));
    for (const [method, requests, replies] of [
      [unary, [{ text: "päth", data }], [{ text: "päth", data }]],
      [get, [{}], [{ text: "", index: 0 }]],
      [serverStream, [{ count: 3 }], [{ index: 0 }, { index: 1 }, { index: 2 }]],
      [serverStream, [{ count: 0 }], []],
      [clientStream, texts, [{ text: "a,b,ç", index: 3 }]],
      [clientStream, [], [{ text: "", index: 0 }]],
      [bidiStream, texts, texts],
      [bidiStream, [], []],
    ] as const) {
      expect(await call(client, method, [...requests])).toMatchObject({ replies, status: { code: status.OK } });
    }
  });

  it("sends metadata and gets them back as header and trailer, text and bytes", async () => {
    const { client } = await connect(options);
    const bytes = Buffer.from([0, 255, 44, 10]);
    for (const method of [unary, serverStream, clientStream, bidiStream]) {
      const metadata = new Metadata();
      metadata.set("x-echo", "text, with comma");
      metadata.set("x-echo-bin", bytes);
      metadata.set("x-echo-trailer", "end");
      metadata.set("x-echo-trailer-bin", bytes);
      const { header, status } = await call(client, method, [{ count: 1 }], { metadata });
      expect([header?.get("x-echo"), header?.get("x-echo-bin")]).toEqual([["text, with comma"], [bytes]]);
      expect(status.metadata.get("x-echo-trailer")).toEqual(["end"]);
      expect(status.metadata.get("x-echo-trailer-bin")).toEqual([bytes]);
    }
  });

  it("gets every code with its message, which may hold any character", async () => {
    const { client } = await connect(options);
    const message = "100 % sûr\nor 🙈";
    for (let code = 1; code <= 16; code++) {
      const failed = await call(client, unary, [{ failure: { code, message } }]);
      expect(failed).toMatchObject({ replies: [], status: { code, details: message } });
    }
  });

  it("gets the details and the metadata of an error", async () => {
    const { client } = await connect(options);
    const metadata = new Metadata();
    metadata.set("x-fail-hint", "later");
    const failure = { code: status.FAILED_PRECONDITION, message: "no", reason: "CLOSED" };
    for (const method of [unary, serverStream, clientStream, bidiStream]) {
      const failed = await call(client, method, [{ count: 1, failure }], { metadata });
      expect(failed.status.metadata.get("hint")).toEqual(["later"]);
      const [bytes] = failed.status.metadata.get("grpc-status-details-bin") as Buffer[];
      const { code, message, details } = fromBinary(StatusSchema, bytes ?? new Uint8Array());
      expect({ code, message }).toEqual({ code: status.FAILED_PRECONDITION, message: "no" });
      const infos = details.map((detail) => anyUnpack(detail, ErrorInfoSchema));
      expect(infos).toMatchObject([{ reason: "CLOSED", domain: "manywire.test" }]);
    }
  });

  it("gets the replies that came before a stream's error", async () => {
    const { client } = await connect(options);
    const request = { count: 5, failure: { code: status.ABORTED, message: "half", after: 2 } };
    expect(await call(client, serverStream, [request])).toMatchObject({
      replies: [{ index: 0 }, { index: 1 }],
      status: { code: status.ABORTED, details: "half" },
    });
  });

  it("gets no text of an unexpected error", async () => {
    const { client } = await connect(options);
    const failed = await call(client, unary, [{ failure: { message: "secret" } }]);
    expect([status.INTERNAL, status.UNKNOWN]).toContain(failed.status.code);
    expect(failed.status.details).not.toContain("secret");
  });

  it("gets UNIMPLEMENTED for unknown methods", async () => {
    const { client } = await connect(options);
    const unknown = { code: status.UNIMPLEMENTED };
    expect((await call(client, missing, [{}])).status).toMatchObject(unknown);
    const unnamed = { ...unary, name: "Nothing" };
    expect((await call(client, unnamed, [{}])).status).toMatchObject(unknown);
    const stranger = { ...unary, parent: { ...unary.parent, typeName: "no.such.Service" } };
    expect((await call(client, stranger, [{}])).status).toMatchObject(unknown);
  });

  it("asks for health, for its list, and for what the server serves", async () => {
    const { client } = await connect(options);
    const { SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
    const { check, list, watch } = Health.method;
    expect((await call(client, check, [{}])).replies).toMatchObject([{ status: SERVING }]);
    expect((await call(client, check, [{ service: "?" }])).status.code).toBe(status.NOT_FOUND);
    const [listed] = (await call(client, list, [{}])).replies;
    expect(listed?.statuses).toMatchObject({ "": { status: SERVING }, [Greeter.typeName]: { status: SERVING } });
    const watched = await call(client, watch, [{ service: "?" }], { onReply: (handle) => handle.cancel() });
    expect(watched).toMatchObject({
      replies: [{ status: SERVICE_UNKNOWN }],
      status: { code: status.CANCELLED },
    });
    const question = { messageRequest: { case: "listServices" as const, value: "" } };
    const [reflected] = (await call(client, ServerReflection.method.serverReflectionInfo, [question])).replies;
    expect(reflected?.messageResponse.value).toMatchObject({
      service: expect.arrayContaining([expect.objectContaining({ name: Greeter.typeName })]),
    });
  });
});

describe.each(targets)("the calls of grpc-js have limits, %s", (_, options) => {
  it.each([false, true])("ends a call at its deadline (the handler ignores the signal: %s)", async (ignoreSignal) => {
    const { target, client } = await connect(options);
    const text = `deadline ${ignoreSignal}`;
    const request = { text, count: 1, waitMs: 600, ignoreSignal };
    const serverOnly = new Metadata();
    serverOnly.set("grpc-timeout", "100m");
    // Connected before its deadline begins, a call does reach the server.
    await call(client, unary, [{}]);
    for (const method of [unary, serverStream]) {
      const both = await call(client, method, [request], { options: { deadline: Date.now() + 100 } });
      expect(both.status.code).toBe(status.DEADLINE_EXCEEDED);
      const ours = await call(client, method, [request], { metadata: serverOnly });
      expect(ours.status.code).toBe(status.DEADLINE_EXCEEDED);
    }
    await expect.poll(() => target.finished.length, patience).toBe(5);
    // At its own deadline the client also cancels the call, which may reach the server before its timer fires.
    const allowed = [Code.DeadlineExceeded, Code.Canceled];
    expect(target.finished.slice(1).filter(({ code }) => code === undefined || !allowed.includes(code))).toEqual([]);
  });

  it("may set a deadline of 30 days", async () => {
    const { client } = await connect(options);
    const deadline = Date.now() + 30 * 24 * 3600 * 1000;
    expect(await call(client, unary, [{ waitMs: 20 }], { options: { deadline } })).toMatchObject({ status: ok });
  });

  it("cancels a call, and its handler learns it", async () => {
    const { target, client } = await connect(options);
    for (const method of [unary, serverStream, clientStream, bidiStream]) {
      const answer = call(client, method, [{ text: method.name, count: 1, waitMs: 10_000 }], {
        onStart: (handle) => void target.seen.started(method.name).then(() => handle.cancel()),
      });
      expect((await answer).status.code).toBe(status.CANCELLED);
      expect(await target.seen.ended(method.name)).toMatchObject({ kind: "threw" });
    }
    await expect.poll(() => target.finished.map(({ code }) => code), patience).toEqual([1, 1, 1, 1]);
  });

  it("compresses with gzip, and gets the list of compressions", async () => {
    const { target } = await connect(options);
    const zipping = openClient(target, { "grpc.default_compression_algorithm": 2 });
    const data = new Uint8Array(100_000);
    for (const method of [unary, clientStream, bidiStream]) {
      expect(await call(zipping, method, [{ data }])).toMatchObject({ replies: [{}], status: ok });
    }
    const deflating = openClient(target, { "grpc.default_compression_algorithm": 1 });
    expect((await call(deflating, unary, [{ data }])).status).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringMatching(/gzip/),
    });
  });

  it("gets an error for a message over 4 MiB, and can call again", async () => {
    const { target, client } = await connect(options);
    const data = new Uint8Array(4 * 1024 * 1024);
    for (const method of [unary, clientStream, bidiStream]) {
      expect((await call(client, method, [{ data }])).status.code).toBe(status.RESOURCE_EXHAUSTED);
      expect((await call(client, unary, [{ text: "next" }])).status).toMatchObject(ok);
    }
    await expect.poll(() => target.finished.length, patience).toBe(6);
  });

  it("gets a long stream whole, when it reads slowly", async () => {
    const { client } = await connect(options);
    const { replies } = await call(client, serverStream, [{ count: 300, replyBytes: 65_536 }], {
      onReply: (handle, count) => {
        if (count % 50 !== 0) return;
        handle.pause?.();
        setTimeout(() => handle.resume?.(), 20);
      },
    });
    expect(replies.map(({ index }) => index)).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });
});
