import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { deadlineExceeded, toCallError } from "../../server/call/error.js";

const accidents: unknown[] = [
  new Error("the password is 1234"),
  new TypeError("x is not a function"),
  new DOMException("aborted", "AbortError"),
  "text",
  42,
  undefined,
  null,
  { code: 5 },
];

describe("what a handler threw", () => {
  test("is internal and safe, with the original as its cause, if it is an accident", () => {
    for (const reason of accidents) {
      const error = toCallError(reason);
      expect([error.code, error.message]).toEqual([Code.Internal, "[internal] internal error"]);
      expect(error.cause).toBe(reason);
      expect([[...error.metadata], error.details]).toEqual([[], []]);
    }
  });

  test("is as it was, if it is a ConnectError that any protocol can carry", () => {
    const error = new ConnectError("not here", Code.NotFound, { "x-why": "gone" });
    expect(toCallError(error)).toBe(error);
  });

  test("loses the headers of the call that it came from, and keeps all else", () => {
    const cause = new Error("below");
    const detail = { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason: "GONE" }) };
    const headers = { "content-type": "application/proto", "Content-Length": "3", "grpc-status": "5", "x-why": "gone" };
    const error = new ConnectError("not here", Code.NotFound, headers, [detail], cause);
    const fit = toCallError(error);
    expect([...fit.metadata]).toEqual([["x-why", "gone"]]);
    expect([fit.code, fit.rawMessage, fit.details, fit.cause]).toEqual([Code.NotFound, "not here", [detail], cause]);
    expect([...error.metadata.keys()]).toEqual(["content-length", "content-type", "grpc-status", "x-why"]);
  });

  test("has no half characters in its message", () => {
    expect(toCallError(new ConnectError("a\ud800b", Code.Aborted)).rawMessage).toBe("a\ufffdb");
    expect(toCallError(new ConnectError("\ud83c\udf89", Code.Aborted)).rawMessage).toBe("\ud83c\udf89");
  });
});

test("a deadline that has passed is deadline_exceeded, a new error each time", () => {
  expect(deadlineExceeded().message).toBe("[deadline_exceeded] the operation timed out");
  expect(deadlineExceeded()).not.toBe(deadlineExceeded());
});
