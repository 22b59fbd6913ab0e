// Requests that break rules of protovalidate end with `invalid_argument`, over every protocol.
import { Code, type ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.js";
import type { FinishedCall } from "../../server/index.js";
import { validation } from "../../server/interceptors/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { collect, each, failureOf } from "../support/outcome.js";
import { ruledService } from "../support/ruled-service.js";
import { startServer } from "../support/server.js";
import { openWay } from "../support/ways.js";
import { describeGuarded, kinds as kindsOfServer, startGuarded } from "./guarded.js";
import type { RequestInit } from "./wire.js";

type Client = ReturnType<typeof openWay>["client"];

/** A request that breaks rules, and what is said of it. */
interface Broken {
  readonly request: RequestInit;
  readonly message: string;
  readonly violations: readonly (readonly [field: string, description: string, reason: string])[];
}

const broken: Readonly<Record<string, Broken>> = {
  "a string": {
    request: { text: "Ä" },
    message: "text: does not match regex pattern `^[a-z0-9 ]*$` [string.pattern]",
    violations: [["text", "does not match regex pattern `^[a-z0-9 ]*$`", "STRING_PATTERN"]],
  },
  "a field of a message inside": {
    request: { failure: { reason: "low" } },
    message: "failure.reason: must be upper case [reason.upper]",
    violations: [["failure.reason", "must be upper case", "REASON_UPPER"]],
  },
  "a rule of the whole message": {
    request: { count: 1, data: Uint8Array.of(1) },
    message: "count and data must not both be set [not.both]",
    violations: [["", "count and data must not both be set", "NOT_BOTH"]],
  },
  "many fields": {
    request: { text: "A".repeat(21), count: 11, waitMs: 1 },
    message: "text: must be at most 20 characters [string.max_len]; text: does not match",
    violations: [
      ["text", "must be at most 20 characters", "STRING_MAX_LEN"],
      ["text", "does not match regex pattern `^[a-z0-9 ]*$`", "STRING_PATTERN"],
      ["count", "must be less than or equal to 10", "UINT32_LTE"],
      ["wait_ms", "must be even", "WAIT_EVEN"],
    ],
  },
};

const kinds: Readonly<Record<string, (client: Client, request: RequestInit) => Promise<unknown>>> = {
  unary: (client, request) => client.unary(request),
  "server-streaming": (client, request) => collect(client.serverStream(request)),
  "client-streaming": (client, request) => client.clientStream(each({ text: "first" }, request)),
};

function violationsOf(error: ConnectError) {
  return error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations)
    .map(({ field, description, reason }) => [field, description, reason]);
}

/** What HTTP/2 alone can carry, and REST cannot. */
const fullDuplex: typeof kinds = {
  bidirectional: (client, request) => collect(client.bidiStream(each({ text: "first" }, request))),
};

describeGuarded(
  async () => [await validation()],
  (open, guarded, { protocol, httpVersion = "2" }) => {
    const isDuplex = httpVersion === "2" && protocol !== "rest" && protocol !== "grpc-web";
    describe.each(Object.entries({ ...kinds, ...(isDuplex && fullDuplex) }))("%s", (_, call) => {
      test.each(Object.entries(broken))("says what is wrong with %s", async (_, { request, message, violations }) => {
        using opened = open();
        const error = await failureOf(call(opened.client, request));
        expect(error.code).toBe(Code.InvalidArgument);
        expect(error.rawMessage.slice(0, message.length)).toBe(message);
        expect(violationsOf(error)).toEqual(violations);
      });

      test("lets a good message pass", async () => {
        using opened = open();
        await call(opened.client, { text: "good 1", count: 1, waitMs: 2 });
      });
    });

    test("a message that breaks rules does not reach the handler", async () => {
      using opened = open();
      await failureOf(opened.client.unary({ text: "kept out", count: 11 }));
      expect(guarded().target.seen.has("kept out")).toBe(false);
    });
  },
  { service: ruledService() },
);

describe("rules that fail", () => {
  /** Fails where `count` is 1. */
  const failing = () =>
    ruledService({ count: { cel: [{ id: "own.division", expression: "10u / (this - 1u) > 0u" }] } });

  test.each(kindsOfServer)("%s: end calls with internal, and the error has the cause", async (kind) => {
    const finished: FinishedCall[] = [];
    const interceptors = [await validation()];
    const options = { service: failing(), onCall: (call: FinishedCall) => finished.push(call) };
    await using guarded = await startGuarded(kind, interceptors, options);
    using opened = openWay(guarded.url, { protocol: "grpc" });
    await opened.client.unary({ count: 2 });
    const error = await failureOf(opened.client.unary({ count: 1 }));
    expect([error.code, error.rawMessage]).toEqual([Code.Internal, "internal error"]);
    await expect.poll(() => finished.length).toBe(2);
    expect(finished[1]?.error?.cause).toMatchObject({
      message: "rules of manywire.test.v1.TestRequest: uint divide by zero",
    });
  });
});

describe("a rule that is wrong", () => {
  const wrong = () => ruledService({ count: { cel: [{ id: "own.wrong", expression: "this >" }] } });
  const fault = /^rules of manywire\.test\.v1\.TestRequest: failed to compile own\.wrong: syntax error/;

  test("stops the start, with its name", async () => {
    const interceptors = [await validation()];
    await expect(startServer({ interceptors, service: wrong() })).rejects.toThrow(fault);
  });

  test("is a warning where calls are forwarded, whose other methods are served", async () => {
    const warnings: string[] = [];
    await using guarded = await startGuarded("forwarded", [await validation()], {
      service: wrong(),
      onWarning: (warning) => warnings.push(warning),
      logger: { error() {} },
    });
    expect(warnings).toEqual([expect.stringMatching(fault)]);
    using opened = openWay(guarded.url, { protocol: "grpc" });
    expect((await failureOf(opened.client.unary({ count: 1 }))).code).toBe(Code.Internal);
  });
});

test("only methods that are selected are checked", async () => {
  const interceptors = [await validation({ methods: `${TestService.typeName}/Get` })];
  await using guarded = await startGuarded("own", interceptors, { service: ruledService() });
  using opened = openWay(guarded.url, { protocol: "connect" });
  await opened.client.unary({ count: 11 });
  expect((await failureOf(opened.client.get({ count: 11 }))).code).toBe(Code.InvalidArgument);
});

test("REST writes the violations into the body of the error", async () => {
  await using guarded = await startGuarded("own", [await validation()], { service: ruledService() });
  const headers = { "content-type": "application/json" };
  const { status, text } = await request(guarded.url, { path: "/rest/Unary", headers, body: '{"count":11}' });
  expect([status, JSON.parse(text)]).toEqual([
    400,
    {
      code: 3,
      message: "count: must be less than or equal to 10 [uint32.lte]",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: [{ field: "count", description: "must be less than or equal to 10", reason: "UINT32_LTE" }],
        },
      ],
    },
  ]);
});
