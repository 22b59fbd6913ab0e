import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AnySchema, StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { toSendableError } from "../../../server/call/sendable-error.js";

type Detail = ConnectError["details"][number];

const good = { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason: "GONE" }) };

function spoil(properties: object): ConnectError {
  return Object.assign(new ConnectError("m", Code.NotFound), properties);
}

test("an error that every protocol can carry is sent as it is", () => {
  const error = new ConnectError("not here", Code.NotFound, { "x-why": "gone" }, [good]);
  expect(toSendableError(error)).toEqual({ error, warnings: [] });
  expect(toSendableError(error).error).toBe(error);
});

describe("what cannot be sent", () => {
  test.each([0, 17, 1001, -1, 5.5, Number.NaN, "ECONNREFUSED", undefined, Symbol("s")])(
    "a code of %s becomes unknown, with a warning",
    (code) => {
      const { error, warnings } = toSendableError(spoil({ code }));
      expect([error.code, error.rawMessage]).toEqual([Code.Unknown, "m"]);
      expect(warnings).toEqual([
        `error code: expected an integer from 1 to 16, found ${String(code)}; sent as unknown`,
      ]);
    },
  );

  test("the headers of the call that the error came from are omitted", () => {
    const cause = new Error("below");
    const headers = { "content-type": "application/proto", "Content-Length": "3", "grpc-status": "5", "x-why": "gone" };
    const original = new ConnectError("not here", Code.NotFound, headers, [good], cause);
    const { error, warnings } = toSendableError(original);
    expect([...error.metadata]).toEqual([["x-why", "gone"]]);
    expect([error.code, error.rawMessage, error.details, error.cause]).toEqual([
      Code.NotFound,
      "not here",
      [good],
      cause,
    ]);
    expect(warnings).toEqual([]);
    expect([...original.metadata.keys()]).toEqual(["content-length", "content-type", "grpc-status", "x-why"]);
  });

  test("a value with control characters is omitted, with a warning", () => {
    const { error, warnings } = toSendableError(new ConnectError("m", Code.Aborted, { "x-a": "\u0001", "x-b": "ä" }));
    expect([...error.metadata]).toEqual([["x-b", "ä"]]);
    expect(warnings).toEqual(["error metadata x-a: control character in its value; not sent"]);
  });

  test("lone surrogates of a message are replaced", () => {
    const messageOf = (message: string) => toSendableError(new ConnectError(message, Code.Aborted)).error.rawMessage;
    expect([messageOf("a\ud800b"), messageOf("\ud83c\udf89")]).toEqual(["a\ufffdb", "\ud83c\udf89"]);
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const struct = create(StructSchema);
  struct.fields.self = create(ValueSchema, { kind: { case: "structValue", value: struct } });
  const retry = (retryDelay: MessageInitShape<typeof RetryInfoSchema>["retryDelay"]) => ({
    desc: RetryInfoSchema,
    value: { retryDelay } as MessageInitShape<typeof RetryInfoSchema>,
  });
  test.each<[string, unknown, string]>([
    ["nanos of 1500000.5", retry({ nanos: 1500000.5 }), "google.rpc.RetryInfo"],
    ["nanos of NaN", retry({ nanos: Number.NaN }), "google.rpc.RetryInfo"],
    ["seconds of a number", retry({ seconds: 1.5 as never }), "google.rpc.RetryInfo"],
    ["a cycle", { desc: StructSchema, value: struct }, "google.protobuf.Struct"],
    ["no schema", { nonsense: 1 }, "unknown type"],
    ["no bytes", { type: "a.B", value: "text" }, "a.B"],
    ["half a character in its type", { type: "\ud800", value: new Uint8Array() }, "\ufffd"],
    ["nothing", null, "unknown type"],
  ])("a detail with %s is omitted, with a warning", (_, detail, name) => {
    const { error, warnings } = toSendableError(spoil({ details: [detail, good] as Detail[] }));
    expect([error.code, error.rawMessage, error.details]).toEqual([Code.NotFound, "m", [good]]);
    expect(warnings).toEqual([expect.stringMatching(/^error detail 0 \(.*\): .+; not sent$/)]);
    expect(warnings[0]).toContain(`(${name})`);
  });

  test("the debug value of a detail is omitted if it is not JSON", () => {
    const detail = { type: "a.B", value: Uint8Array.of(1), debug: cycle as never };
    const { error, warnings } = toSendableError(spoil({ details: [detail] }));
    expect([error.details, warnings]).toEqual([[{ type: "a.B", value: Uint8Array.of(1) }], []]);
  });

  test("an Any with bytes that are not of its type is sent: the bytes are the application's", () => {
    const value = { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: Uint8Array.of(255) };
    const { error, warnings } = toSendableError(spoil({ details: [{ desc: AnySchema, value }] }));
    expect([error.details.length, warnings]).toEqual([1, []]);
  });

  test.each<[string, object, string]>([
    ["metadata", { metadata: undefined }, "error metadata: expected Headers; not sent"],
    ["message", { rawMessage: undefined }, "error message: expected a string, found undefined; sent as empty"],
    ["details", { details: undefined }, "error details: expected an array; not sent"],
  ])("an error without %s is sent without", (_, properties, warning) => {
    const { error, warnings } = toSendableError(spoil(properties));
    expect([error.code, warnings]).toEqual([Code.NotFound, [warning]]);
  });

  test("an error that cannot be read is internal", () => {
    const error = spoil({});
    Object.defineProperty(error, "rawMessage", {
      get() {
        throw new Error("trap");
      },
    });
    expect(toSendableError(error).error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
  });
});
