import { Code, ConnectError } from "@connectrpc/connect";
import { Metadata, status } from "@grpc/grpc-js";
import { ClientError, ServerError } from "nice-grpc";
import { describe, expect, test } from "vitest";
import { deadlineExceeded, toConnectError, toError } from "../../../server/call/error.js";

const unexpected: unknown[] = [
  new Error("the password is 1234"),
  new TypeError("x is not a function"),
  new DOMException("aborted", "AbortError"),
  "text",
  42,
  undefined,
  null,
  { code: 5 },
  { code: 5, details: 3 },
  { code: "5", details: "x" },
  { code: 0, details: "fine" },
  { code: 17, details: "x" },
  { code: 5.5, details: "x" },
  { code: Number.NaN, details: "x" },
  Object.assign(new Error("connect refused"), { code: "ECONNREFUSED", errno: -111, details: "x" }),
  Object.create({ code: 5, details: "inherited" }),
  new Proxy(
    {},
    {
      get() {
        throw new Error("trap");
      },
      getPrototypeOf() {
        throw new Error("trap");
      },
      getOwnPropertyDescriptor() {
        throw new Error("trap");
      },
    },
  ),
];

describe("what a handler threw", () => {
  test("is internal and safe, with the original as its cause, if it is unexpected", () => {
    for (const reason of unexpected) {
      const error = toConnectError(reason);
      expect([error.code, error.message]).toEqual([Code.Internal, "[internal] internal error"]);
      expect(error.cause === reason).toBe(true);
      expect([[...error.metadata], error.details]).toEqual([[], []]);
    }
  });

  test("is as it was, if it is a ConnectError", () => {
    const error = new ConnectError("not here", Code.NotFound, { "x-why": "gone" });
    expect(toConnectError(error)).toBe(error);
  });

  const serviceError = Object.assign(new Error("5 NOT_FOUND: not here"), {
    code: status.NOT_FOUND,
    details: "not here",
  });
  test.each<[string, object]>([
    ["a plain object as grpc-js takes it", { code: status.NOT_FOUND, details: "not here" }],
    ["a ServiceError of grpc-js", serviceError],
    ["a ServerError of nice-grpc", new ServerError(status.NOT_FOUND, "not here")],
    ["a ClientError of nice-grpc", new ClientError("/a.B/C", status.NOT_FOUND, "not here")],
  ])("keeps code and details, if it is %s", (_, reason) => {
    const error = toConnectError(reason);
    expect([error.code, error.rawMessage, error.cause]).toEqual([Code.NotFound, "not here", reason]);
  });

  test("keeps the metadata of grpc-js, but for what is not a header", () => {
    const metadata = new Metadata();
    metadata.add("x-why", "a");
    metadata.add("x-why", "b");
    metadata.add("x-why-bin", Buffer.from([0, 255]));
    const error = toConnectError({ code: 5, details: "x", metadata });
    expect([...error.metadata]).toEqual([
      ["x-why", "a, b"],
      ["x-why-bin", "AP8="],
    ]);
    const odd = { toHttp2Headers: () => ({ "x a": ["1"], "x-b": ["\n2"], "x-c": ["3"] }) };
    expect([...toConnectError({ code: 5, details: "x", metadata: odd }).metadata]).toEqual([
      ["x-b", "2"],
      ["x-c", "3"],
    ]);
  });
});

test("what is not an Error is the cause of one, for the log", () => {
  const error = new TypeError("x");
  expect(toError(error)).toBe(error);
  expect(toError("secret")).toMatchObject({ message: "a value that is not an Error was thrown", cause: "secret" });
});

test("a deadline that has passed is deadline_exceeded, a new error each time", () => {
  expect(deadlineExceeded().message).toBe("[deadline_exceeded] the operation timed out");
  expect(deadlineExceeded()).not.toBe(deadlineExceeded());
});
