import { once } from "node:events";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Code, ConnectError, createClient, createTransport, type Protocol } from "../../../client/index.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";

/** Resets every call with CANCEL, at the time, in milliseconds since 1970, that its header `x-reset-at` names. */
const server = http2.createServer();
const sessions = new Set<http2.ServerHttp2Session>();

beforeAll(async () => {
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), Number(headers["x-reset-at"]) - Date.now());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(() => {
  for (const session of sessions) session.destroy();
  server.close();
});

/** The code of a call that is reset so long after its deadline began to run, and the codes that an interceptor saw. */
async function codesOf(protocol: Protocol, kind: "unary" | "stream", timeoutMs: number, afterMs: number) {
  const seen: Code[] = [];
  const transport = createTransport({
    protocol,
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    interceptors: [
      (next) => async (request) => {
        request.header.set("x-reset-at", String(Date.now() + afterMs));
        try {
          return await next(request);
        } catch (error) {
          seen.push(ConnectError.from(error).code);
          throw error;
        }
      },
    ],
  });
  onTestFinished(() => transport.close());
  const client = createClient(TestService, transport);
  const read = async () => {
    for await (const _ of client.serverStream({}, { timeoutMs }));
  };
  const call = kind === "unary" ? client.unary({}, { timeoutMs }) : read();
  const error = await call.then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  return { code: error?.code, seen };
}

describe.each<Protocol>(["grpc", "grpc-web", "connect"])("%s", (protocol) => {
  it.each(["unary", "stream"] as const)("tells a reset at the deadline as that, of a %s call", async (kind) => {
    expect(await codesOf(protocol, kind, 200, 195)).toEqual({
      code: Code.DeadlineExceeded,
      seen: [Code.DeadlineExceeded],
    });
  });

  it.each(["unary", "stream"] as const)("tells a reset before it as canceled, of a %s call", async (kind) => {
    expect(await codesOf(protocol, kind, 10_000, 0)).toEqual({
      code: Code.Canceled,
      seen: [Code.Canceled],
    });
  });
});
