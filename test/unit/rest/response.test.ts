import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { HttpBodySchema } from "../../../gen/google/api/httpbody_pb.js";
import { ownJson } from "../../../server/codec/json.js";
import { createResponseDecoder, createResponseEncoder, type EncodeOptions } from "../../../server/rest/response.js";
import { EverythingSchema } from "../../gen/manywire/test/rest/v1/everything_pb.js";
import { FileMessageSchema, RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { bindingOf, bindingTo, registry } from "../../support/rest-bindings.js";

type Init = MessageInitShape<typeof EverythingSchema>;

const whole = bindingTo(RestService.method.query, "GET /");
const raw = bindingOf('Raw: google.api.http post "/v1/raw"');
const file = bindingOf('File: google.api.http put "/v1/file/{name=**}"');

function encode(responseBody: string, init: Init, options?: EncodeOptions) {
  const binding = bindingTo(RestService.method.query, "GET /", "", responseBody);
  return createResponseEncoder(binding, options)(create(EverythingSchema, init));
}

const replies: [reason: string, responseBody: string, init: Init, options: EncodeOptions, text: string][] = [
  ["the whole", "", { text: "a", node: {} }, {}, '{"node":{},"text":"a"}'],
  ["nothing", "", {}, {}, "{}"],
  [
    "defaults, if so asked",
    "",
    {},
    { emitDefaults: true },
    '{"text":"","number":"0","flag":false,"data":"","color":"COLOR_UNSPECIFIED","words":[],"nodes":[],"labels":{}}',
  ],
  [
    "names of the proto, if so asked",
    "",
    { choice: { case: "choiceText", value: "a" } },
    { useProtoNames: true },
    '{"choice_text":"a"}',
  ],
  ["numbers for enum values, if so asked", "", { color: 1 }, { enumsAsNumbers: true }, '{"color":1}'],
  ["a message", "node", { text: "x", node: { text: "a" } }, {}, '{"text":"a"}'],
  ["an absent message", "node", { text: "x" }, {}, "null"],
  ["defaults in a message", "node", { node: {} }, { emitDefaults: true }, '{"text":"","number":0}'],
  ["a list", "words", { words: ["a"] }, {}, '["a"]'],
  ["an empty list", "words", {}, {}, "[]"],
  ["a list of messages", "nodes", { nodes: [{ number: 1 }, {}] }, {}, '[{"number":1},{}]'],
  ["an empty map", "labels", {}, {}, "{}"],
  ["a string", "text", { text: "a" }, {}, '"a"'],
  ["an empty string", "text", {}, {}, '""'],
  ["a number of 64 bits", "number", { number: 9_007_199_254_740_993n }, {}, '"9007199254740993"'],
  ["zero", "number", {}, {}, '"0"'],
  ["no bytes", "data", {}, {}, '""'],
  ["an enum value", "color", { color: 2 }, {}, '"COLOR_GREEN"'],
  ["the first enum value", "color", {}, {}, '"COLOR_UNSPECIFIED"'],
  ["its number", "color", {}, { enumsAsNumbers: true }, "0"],
  [
    "a field by its proto name",
    "choice_text",
    { choice: { case: "choiceText", value: "a" } },
    { useProtoNames: true },
    '"a"',
  ],
  ["an absent string", "note", {}, {}, "null"],
  ["an empty string with presence", "note", { note: "" }, {}, '""'],
  ["an absent member of a oneof", "choice_text", { choice: { case: "choiceNumber", value: 1 } }, {}, "null"],
  ["a wrapper", "wrapped", { wrapped: 0n }, {}, '"0"'],
  ["a Value", "value", { value: { kind: { case: "nullValue", value: 0 } } }, {}, "null"],
];

describe("a reply is written", () => {
  test.each(replies)("%s", (_, responseBody, init, options, text) => {
    expect(encode(responseBody, init, options)).toEqual({ kind: "json", text });
  });
});

test("an Any of a known type is written, and of an unknown type is an internal error", () => {
  const any = { typeUrl: "type.googleapis.com/manywire.test.rest.v1.Node", value: Uint8Array.of(16, 1) };
  const text = '{"trees":{"any":{"number":1,"@type":"type.googleapis.com/manywire.test.rest.v1.Node"}}}';
  expect(encode("", { trees: { any } }, { registry })).toEqual({ kind: "json", text });
  const rawMessage = "manywire.test.rest.v1.Everything cannot be written as JSON";
  expect(() => encode("", { trees: { any } })).toThrow(expect.objectContaining({ code: Code.Internal, rawMessage }));
});

const data = Uint8Array.of(0, 255);

test("an HttpBody is its bytes and their type", () => {
  const body = { contentType: "image/png", data };
  expect(createResponseEncoder(raw)(create(HttpBodySchema, body))).toEqual({ kind: "bytes", ...body });
  expect(createResponseEncoder(file)(create(FileMessageSchema, { name: "a", content: body }))).toEqual({
    kind: "bytes",
    ...body,
  });
  const nothing = { kind: "bytes", contentType: undefined, data: new Uint8Array() };
  expect(createResponseEncoder(file)(create(FileMessageSchema, { name: "a" }))).toEqual(nothing);
  expect(createResponseEncoder(raw)(create(HttpBodySchema))).toEqual(nothing);
});

test.each(["a\r\nb: c", "a\n", "a\0", " a", "a ", "é", "\u007f"])(
  "the content type %j is an internal error",
  (contentType) => {
    const rawMessage = "the content_type of a google.api.HttpBody is no header value";
    const encodeRaw = () => createResponseEncoder(raw)(create(HttpBodySchema, { contentType }));
    expect(encodeRaw).toThrow(expect.objectContaining({ code: Code.Internal, rawMessage }));
  },
);

test.each(["a/b", "text/html; charset=utf-8", 'a/b; c="\t"', "x"])("the content type %j is sent", (contentType) => {
  expect(createResponseEncoder(raw)(create(HttpBodySchema, { contentType }))).toMatchObject({ contentType });
});

test("a reply is read", () => {
  const body = new TextEncoder().encode('{"text":"a","unknown":1}');
  expect(createResponseDecoder(ownJson, whole)({ body })).toMatchObject({ text: "a" });
  expect(createResponseDecoder(ownJson, whole)({ body: new Uint8Array() })).toMatchObject({ text: "" });
  expect(createResponseDecoder(ownJson, file)({ body: data, contentType: "a/b" })).toMatchObject({
    content: { data, contentType: "a/b" },
  });
});

test("a reply that does not fit the schema is an internal error, with the reason as its cause", () => {
  const error = expect.objectContaining({
    code: Code.Internal,
    rawMessage: "the server's reply does not fit the schema",
    cause: expect.objectContaining({ message: "text: expected a string, found 1" }),
  });
  expect(() => createResponseDecoder(ownJson, whole)({ body: new TextEncoder().encode('{"text":1}') })).toThrow(error);
});
