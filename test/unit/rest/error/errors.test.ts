import { create, createRegistry, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "../../../../gen/google/rpc/error_details_pb.js";
import { createErrorDecoder, createErrorEncoder } from "../../../../server/rest/error/errors.js";
import { codeToName, codeToStatus, statusToCode } from "../../../../server/rest/error/status.js";
import { preferTypes } from "../../../../server/schema/file-types.js";
import { commonTypes } from "../../../../server/schema/types.js";
import { NodeSchema, TreesSchema } from "../../../gen/manywire/test/rest/v1/everything_pb.js";

/** The table of google/rpc/code.proto. */
const codes: [code: Code, name: string, status: number][] = [
  [Code.Canceled, "CANCELLED", 499],
  [Code.Unknown, "UNKNOWN", 500],
  [Code.InvalidArgument, "INVALID_ARGUMENT", 400],
  [Code.DeadlineExceeded, "DEADLINE_EXCEEDED", 504],
  [Code.NotFound, "NOT_FOUND", 404],
  [Code.AlreadyExists, "ALREADY_EXISTS", 409],
  [Code.PermissionDenied, "PERMISSION_DENIED", 403],
  [Code.ResourceExhausted, "RESOURCE_EXHAUSTED", 429],
  [Code.FailedPrecondition, "FAILED_PRECONDITION", 400],
  [Code.Aborted, "ABORTED", 409],
  [Code.OutOfRange, "OUT_OF_RANGE", 400],
  [Code.Unimplemented, "UNIMPLEMENTED", 501],
  [Code.Internal, "INTERNAL", 500],
  [Code.Unavailable, "UNAVAILABLE", 503],
  [Code.DataLoss, "DATA_LOSS", 500],
  [Code.Unauthenticated, "UNAUTHENTICATED", 401],
];

test.each(codes)("code %s is %s and HTTP status %s", (code, name, status) => {
  expect([codeToName(code), codeToStatus(code)]).toEqual([name, status]);
});

const statuses: [status: number, code: Code][] = [
  [400, Code.InvalidArgument],
  [401, Code.Unauthenticated],
  [403, Code.PermissionDenied],
  [404, Code.NotFound],
  [405, Code.Unimplemented],
  [409, Code.Aborted],
  [413, Code.ResourceExhausted],
  [416, Code.OutOfRange],
  [418, Code.FailedPrecondition],
  [429, Code.ResourceExhausted],
  [499, Code.Canceled],
  [500, Code.Internal],
  [501, Code.Unimplemented],
  [502, Code.Unavailable],
  [503, Code.Unavailable],
  [504, Code.DeadlineExceeded],
  [599, Code.Internal],
  [302, Code.Unknown],
];

test.each(statuses)("HTTP status %s alone is code %s", (status, code) => {
  expect(createErrorDecoder(commonTypes)(status, undefined)).toMatchObject({
    code,
    rawMessage: `HTTP status ${status}`,
  });
  expect(statusToCode(status)).toBe(code);
});

const info = { desc: ErrorInfoSchema, value: { reason: "R", domain: "d", metadata: { a: "b" } } };
const infoJson = {
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason: "R",
  domain: "d",
  metadata: { a: "b" },
};
const infoBytes = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, info.value));

/** Details as they are thrown, or passed on from a call, and their JSON. */
const details: [reason: string, detail: ConnectError["details"][number], json: JsonValue][] = [
  ["of google.rpc", info, infoJson],
  ["of google.rpc, passed on", { type: "google.rpc.ErrorInfo", value: infoBytes }, infoJson],
  [
    "of the server's own types",
    { desc: NodeSchema, value: { number: 1 } },
    { "@type": "type.googleapis.com/manywire.test.rest.v1.Node", number: 1 },
  ],
  [
    "of a type with JSON of its own",
    { desc: DurationSchema, value: { seconds: 1n } },
    { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1s" },
  ],
  [
    "of an unknown type, passed on",
    { type: "x.Y", value: Uint8Array.of(255) },
    { "@type": "type.googleapis.com/x.Y", value: "/w==" },
  ],
  [
    "of a known type, but broken",
    { type: "google.rpc.ErrorInfo", value: Uint8Array.of(255) },
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", value: "/w==" },
  ],
  [
    "without JSON",
    { desc: TreesSchema, value: { any: { typeUrl: "x/y.Z", value: Uint8Array.of(1) } } },
    { "@type": "type.googleapis.com/manywire.test.rest.v1.Trees", value: "KgoKBXgveS5aEgEB" },
  ],
];

function errorWith(...all: ConnectError["details"]): ConnectError {
  const error = new ConnectError("lost", Code.NotFound);
  error.details = all;
  return error;
}

describe("a detail is written", () => {
  test.each(details)("%s", (_, detail, json) => {
    expect(createErrorEncoder()(errorWith(detail))).toEqual({ code: 5, message: "lost", details: [json] });
  });
});

test("a detail that is not a valid message is omitted", () => {
  const broken = { desc: NodeSchema, value: { number: "x" as unknown as number } };
  expect(createErrorEncoder()(errorWith(broken, info))).toEqual({ code: 5, message: "lost", details: [infoJson] });
});

test("the types of a registry are known too", () => {
  const passed = { type: NodeSchema.typeName, value: Uint8Array.of(16, 1) };
  const json = { "@type": "type.googleapis.com/manywire.test.rest.v1.Node", number: 1 };
  expect(createErrorEncoder("status", createRegistry(NodeSchema))(errorWith(passed))).toMatchObject({
    details: [json],
  });
});

test("an error can have the shape of Google's, or any other", () => {
  const json = { error: { code: 404, status: "NOT_FOUND", message: "lost", details: [infoJson] } };
  expect(createErrorEncoder("google")(errorWith(info))).toEqual(json);
  expect(createErrorEncoder(({ rawMessage }) => [rawMessage])(errorWith(info))).toEqual(["lost"]);
});

const read: [reason: string, json: JsonValue | undefined, error: object][] = [
  ["a Status", { code: 5, message: "lost", details: [] }, { code: Code.NotFound, rawMessage: "lost" }],
  [
    "Google's shape",
    { error: { code: 404, status: "NOT_FOUND", message: "lost" } },
    { code: Code.NotFound, rawMessage: "lost" },
  ],
  [
    "its name goes before its number",
    { error: { code: 409, status: "ALREADY_EXISTS", message: "" } },
    { code: Code.AlreadyExists, rawMessage: "" },
  ],
  ["its number, if there is no name", { error: { code: 404, message: "lost" } }, { code: Code.NotFound }],
  [
    "the last element of an array",
    [{ text: "a" }, { error: { code: 5, message: "lost" } }],
    { code: Code.NotFound, rawMessage: "lost" },
  ],
  ["an unknown number", { code: 17, message: "x" }, { code: Code.Unavailable, rawMessage: "x" }],
  ["a number that is OK", { code: 0, message: "x" }, { code: Code.Unavailable }],
  ["a name that is no code", { code: 5, status: "constructor" }, { code: Code.NotFound }],
  ["no object", "lost", { code: Code.Unavailable, rawMessage: "HTTP status 503" }],
  ["null", null, { code: Code.Unavailable, rawMessage: "HTTP status 503" }],
  ["an empty array", [], { code: Code.Unavailable, rawMessage: "HTTP status 503" }],
  ["wrong types", { code: "5", message: 1, details: {} }, { code: Code.Unavailable, rawMessage: "HTTP status 503" }],
];

describe("an error is read", () => {
  test.each(read)("%s", (_, json, error) => {
    expect(createErrorDecoder(commonTypes)(503, json)).toMatchObject(error);
  });
});

test("headers are the error's metadata", () => {
  expect(createErrorDecoder(commonTypes)(503, undefined, { "x-a": "b" }).metadata.get("x-a")).toBe("b");
});

test("details are read if their type is known or they are bytes, and omitted otherwise", () => {
  const json = {
    code: 3,
    details: [
      infoJson,
      { "@type": "x/google.rpc.BadRequest", fieldViolations: [{ field: "a" }], unknown: 1 },
      { "@type": "x.Y", value: "/w==" },
      { "@type": "x.Y", value: "?" },
      { "@type": "x.Y", name: "a" },
      { "@type": "google.rpc.ErrorInfo", value: "/w==" },
      { "@type": 1 },
      { name: "a" },
      null,
      "a",
      [],
    ],
  };
  const error = createErrorDecoder(commonTypes)(400, json);
  expect(error.details.map((detail) => ("type" in detail ? detail.type : ""))).toEqual([
    "google.rpc.ErrorInfo",
    "google.rpc.BadRequest",
    "x.Y",
    "google.rpc.ErrorInfo",
  ]);
  expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject(info.value);
  expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe("a");
});

test.each(["status", "google"] as const)("what is written in the shape %s is read as the same error", (shape) => {
  const sent = errorWith(
    info,
    { type: "x.Y", value: Uint8Array.of(255) },
    { desc: DurationSchema, value: { seconds: 1n } },
  );
  const types = createRegistry(DurationSchema);
  const error = createErrorDecoder(preferTypes(types, commonTypes))(404, createErrorEncoder(shape)(sent));
  expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "lost"]);
  expect(error.details).toMatchObject([
    { type: "google.rpc.ErrorInfo", value: infoBytes },
    { type: "x.Y", value: Uint8Array.of(255) },
    { type: "google.protobuf.Duration", value: Uint8Array.of(8, 1) },
  ]);
});
