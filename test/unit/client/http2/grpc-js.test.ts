// Our client and a server of grpc-js.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { createTransport } from "../../../../client/index.js";
import { type TestRequest, TestService } from "../../../gen/manywire/test/v1/test_pb.js";
import { type GrpcJsHandlers, startGrpcJsServer } from "../../../support/grpc-js-server.js";

function open(authority: string) {
  const transport = createTransport({ protocol: "grpc", baseUrl: `http://${authority}` });
  onTestFinished(() => transport.close());
  return createClient(TestService, transport);
}

const reply = (text: string, data: Uint8Array = new Uint8Array(), index = 0) => ({
  $typeName: "manywire.test.v1.TestReply",
  text,
  data,
  index,
});

test("grpc-js serves every kind of call", async () => {
  const handlers: GrpcJsHandlers = {
    unary: (({ request }: { request: TestRequest }, done: grpc.sendUnaryData<unknown>) => {
      done(null, reply(request.text, request.data));
    }) as never,
    serverStream: ((call: grpc.ServerWritableStream<{ count: number }, unknown>) => {
      for (let index = 0; index < call.request.count; index++) call.write(reply("x", undefined, index));
      call.end();
    }) as never,
    clientStream: ((call: grpc.ServerReadableStream<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
      let count = 0;
      call.on("data", () => count++);
      call.on("end", () => done(null, reply("all", undefined, count)));
    }) as never,
    bidiStream: ((call: grpc.ServerDuplexStream<{ text: string }, unknown>) => {
      call.on("data", ({ text }: { text: string }) => call.write(reply(text)));
      call.on("end", () => call.end());
    }) as never,
  };
  const client = open(await startGrpcJsServer(handlers));
  const data = new Uint8Array(2_000_000).fill(7);
  const echo = await client.unary({ text: "a", data });
  expect([echo.text, Buffer.compare(echo.data, data)]).toEqual(["a", 0]);
  const indexes: number[] = [];
  for await (const { index } of client.serverStream({ count: 1000 })) indexes.push(index);
  expect(indexes).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  async function* requests() {
    for (let index = 0; index < 1000; index++) yield { text: `${index}` };
  }
  expect(await client.clientStream(requests())).toMatchObject({ text: "all", index: 1000 });
  const texts: string[] = [];
  for await (const { text } of client.bidiStream(requests())) texts.push(text);
  expect(texts.length).toBe(1000);
});

test("grpc-js' errors, metadata and trailers arrive", async () => {
  const handlers: GrpcJsHandlers = {
    unary: ((_call: unknown, done: grpc.sendUnaryData<unknown>) => {
      const metadata = new grpc.Metadata();
      metadata.set("a", "1");
      done({ code: grpc.status.NOT_FOUND, details: "nö", metadata });
    }) as never,
    get: ((call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
      const trailer = new grpc.Metadata();
      trailer.set("t", call.metadata.get("m")[0] ?? "");
      done(null, reply(""), trailer);
    }) as never,
  };
  const client = open(await startGrpcJsServer(handlers));
  const error = await client.unary({}).catch((reason: unknown) => ConnectError.from(reason));
  if (!(error instanceof ConnectError)) throw new Error("the call succeeded");
  expect([error.code, error.rawMessage, error.metadata.get("a")]).toEqual([Code.NotFound, "nö", "1"]);
  let trailer = "";
  await client.get(
    {},
    {
      headers: { m: "2" },
      onTrailer(trailers) {
        trailer = trailers.get("t") ?? "";
      },
    },
  );
  expect(trailer).toBe("2");
});

test("grpc-js learns of a deadline and of a cancel", async () => {
  const ends: string[] = [];
  const handlers: GrpcJsHandlers = {
    unary: ((call: grpc.ServerUnaryCall<unknown, unknown>) => {
      call.on("cancelled", () => ends.push("cancelled"));
    }) as never,
  };
  const client = open(await startGrpcJsServer(handlers));
  await expect(client.unary({}, { timeoutMs: 200 })).rejects.toThrow("[deadline_exceeded]");
  const signal = AbortSignal.timeout(200);
  await expect(client.unary({}, { signal })).rejects.toThrow("[canceled]");
  await expect.poll(() => ends).toEqual(["cancelled", "cancelled"]);
});
