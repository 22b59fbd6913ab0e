import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { browserJson } from "../../../../client/browser/json.js";
import { type JsonCodec, ownJson } from "../../../../server/codec/json.js";
import type { EncodeOptions } from "../../../../server/rest/response.js";
import type { Binding } from "../../../../server/rest/route/binding.js";
import { createRequestEncoder, type EncodedRequest } from "../../../../server/rest/write/request.js";
import { EverythingSchema } from "../../../gen/manywire/test/rest/v1/everything_pb.js";
import { FileMessageSchema, RestService } from "../../../gen/manywire/test/rest/v1/rest_pb.js";
import { bindings, bindingTo } from "../../../support/rest-bindings.js";

type Init = MessageInitShape<typeof EverythingSchema>;

const { query: method } = RestService.method;
const post = bindingTo(RestService.method.whole, "POST /v1/whole", "*");

function encode(
  routes: Binding | readonly Binding[],
  init: Init,
  options?: EncodeOptions,
  codec: JsonCodec = ownJson,
): EncodedRequest {
  const all = "label" in routes ? [routes] : routes;
  return createRequestEncoder(codec, all, options)(create(EverythingSchema, init));
}

/** A request as one line: method, path, query and body. */
function print({ httpMethod, path, query, body }: EncodedRequest): string {
  const text = body.kind === "json" ? ` ${body.text}` : "";
  return `${httpMethod} ${path}${query === "" ? "" : `?${query}`}${text}`;
}

const requests: [reason: string, route: string, body: string, init: Init, request: string][] = [
  [
    "all in the query",
    "GET /q",
    "",
    { text: "a b", number: 1n, flag: true, color: 1 },
    "GET /q?text=a%20b&number=1&flag=true&color=COLOR_RED",
  ],
  ["nothing", "GET /q", "", {}, "GET /q"],
  [
    "names in JSON",
    "GET /q",
    "",
    { choice: { case: "choiceText", value: "a&b=c+d" } },
    "GET /q?choiceText=a%26b%3Dc%2Bd",
  ],
  ["lists", "GET /q", "", { words: ["b", "a", "b"] }, "GET /q?words=b&words=a&words=b"],
  ["within", "GET /q", "", { node: { text: "a", child: { number: -1 } } }, "GET /q?node.text=a&node.child.number=-1"],
  ["an empty message", "GET /q", "", { node: { child: {} } }, "GET /q?node.child.text="],
  ["a default with presence", "GET /q", "", { note: "", wrapped: 0n }, "GET /q?note=&wrapped=0"],
  ["bytes", "GET /q", "", { data: Uint8Array.of(251, 255) }, "GET /q?data=-_8"],
  [
    "names that mean something",
    "GET /q",
    "",
    { names: { dollar: "a", dotted: "b", constructor$: "c" } },
    "GET /q?names.constructor=c&names.dollar=a&names.dotted=b",
  ],
  ["odd names", "GET /q", "", { scalars: { renamedValue: "a" } }, "GET /q?scalars.other%20name%5B1%5D=a"],
  ["an enum value without a name", "GET /q", "", { color: 9 as 0 }, "GET /q?color=9"],
  [
    "the shortest digits of a float",
    "GET /q",
    "",
    { scalars: { doubleValue: -0, floatValue: Math.fround(0.1) } },
    "GET /q?scalars.doubleValue=-0&scalars.floatValue=0.1",
  ],
  ["a moment", "GET /q", "", { moment: { seconds: 1n } }, "GET /q?moment=1970-01-01T00%3A00%3A01Z"],
  ["a single segment", "GET /p/{text}", "", { text: "a/b c:d?é" }, "GET /p/a%2Fb%20c%3Ad%3F%C3%A9"],
  ["several segments", "GET /p/{text=x/*/**}", "", { text: "x/a b/c//d:e" }, "GET /p/x/a%20b/c//d%3Ae"],
  ["no segments", "GET /p/{text=**}", "", {}, "GET /p"],
  ["a verb", "POST /p/{text}:undo", "", { text: "a:b" }, "POST /p/a%3Ab:undo"],
  ["literals as they are written", "GET /p%2f/@:x/{text}", "", { text: "a" }, "GET /p%2F/@:x/a"],
  ["a default without presence", "GET /p/{number}/{flag}/{color}", "", {}, "GET /p/0/false/COLOR_UNSPECIFIED"],
  [
    "path and query",
    "GET /p/{node.text}",
    "",
    { node: { text: "a", number: 1 }, text: "b" },
    "GET /p/a?node.number=1&text=b",
  ],
  ["all in the body", "POST /b", "*", { text: "a", number: 1n }, 'POST /b {"text":"a","number":"1"}'],
  ["nothing in the body", "POST /b", "*", {}, "POST /b {}"],
  [
    "path and body",
    "PUT /b/{text}/{node.child.text}",
    "*",
    { text: "a", flag: true, node: { number: 1, child: { text: "b" } } },
    'PUT /b/a/b {"node":{"number":1,"child":{}},"flag":true}',
  ],
  [
    "one field in the body",
    "PATCH /b/{node.text}",
    "node",
    { text: "x", node: { text: "a", number: 1 } },
    'PATCH /b/a?text=x {"number":1}',
  ],
  ["an absent field is no body", "PATCH /b", "node", { text: "x" }, "PATCH /b?text=x"],
  ["a present one is", "PATCH /b", "node", { node: {} }, "PATCH /b {}"],
  ["a list in the body", "POST /b", "words", { words: ["a"] }, 'POST /b ["a"]'],
  ["an empty list", "POST /b", "words", {}, "POST /b []"],
  ["an empty map", "POST /b", "labels", {}, "POST /b {}"],
  ["default scalars", "POST /b", "text", {}, 'POST /b ""'],
  ["of 64 bits", "POST /b", "number", {}, 'POST /b "0"'],
  ["of bytes", "POST /b", "data", {}, 'POST /b ""'],
  ["truths", "POST /b", "flag", {}, "POST /b false"],
  ["enum values", "POST /b", "color", {}, 'POST /b "COLOR_UNSPECIFIED"'],
  ["no string with presence", "POST /b", "note", {}, "POST /b"],
  ["any method without a body", "* /a", "", {}, "GET /a"],
  ["any method with one", "* /a", "*", {}, "POST /a {}"],
];

describe("a message becomes a request", () => {
  test.each(requests)("%s", (_, route, body, init, request) => {
    for (const codec of [ownJson, browserJson]) {
      expect(print(encode(bindingTo(method, route, body), init, {}, codec))).toBe(request);
    }
  });
});

test("options say how JSON is written", () => {
  const route = bindingTo(method, "POST /b/{choice_text}", "*");
  const init: Init = { color: 1, choice: { case: "choiceText", value: "a" } };
  const options = { useProtoNames: true, enumsAsNumbers: true };
  expect(print(encode(route, init, options))).toBe('POST /b/a {"color":1}');
  const color = bindingTo(method, "POST /b", "color");
  expect(print(encode(color, {}, options))).toBe("POST /b 0");
  const defaults = encode(post, {}, { emitDefaults: true, useProtoNames: true });
  expect(print(defaults)).toBe(
    'POST /v1/whole {"text":"","number":"0","flag":false,"data":"","color":"COLOR_UNSPECIFIED","words":[],"nodes":[],"labels":{}}',
  );
});

const refused: [reason: string, route: string, body: string, init: Init, message: string][] = [
  ["an empty segment", "GET /p/{text}", "", {}, 'text: "" does not match "*"'],
  ["another literal", "GET /p/{text=a/*}", "", { text: "b/c" }, 'text: "b/c" does not match "a/*"'],
  ["too many segments", "GET /p/{text=a/*}", "", { text: "a/b/c" }, 'text: "a/b/c" does not match "a/*"'],
  ["too few segments", "GET /p/{text=a/*/**}", "", { text: "a" }, 'text: "a" does not match "a/*/**"'],
  ["an empty segment of several", "GET /p/{text=a/*}", "", { text: "a/" }, 'text: "a/" does not match "a/*"'],
  ["a NUL in the path", "GET /p/{text}", "", { text: "\0" }, 'text: "\\u0000" does not match "*"'],
  ["a step", "GET /p/{text}", "", { text: ".." }, 'text: a path cannot have "." or ".." in it'],
  ["a step of several", "GET /p/{text=**}", "", { text: "a/./b" }, 'text: a path cannot have "." or ".." in it'],
  ["no value with presence", "GET /p/{note}", "", {}, "note: is not set, and the path needs it"],
  ["no message around", "GET /p/{node.text}", "", {}, "node.text: is not set, and the path needs it"],
  [
    "another member of the oneof",
    "GET /p/{choice_text}",
    "",
    { choice: { case: "choiceNumber", value: 1 } },
    "choice_text: is not set, and the path needs it",
  ],
  ["a value without text", "GET /p/{moment}", "", { moment: { nanos: -1 } }, "moment: has a value that has no text"],
  ["a wildcard", "GET /p/*", "", {}, "*: no field says what to put there"],
  ["a NUL in the query", "GET /q", "", { words: ["\0"] }, "words: has a value that has no text"],
  ["a lone surrogate in the query", "GET /q", "", { text: "\ud800" }, "text: has a value that has no text"],
  [
    "a moment without text in the query",
    "GET /q",
    "",
    { moment: { nanos: -1 } },
    "moment: has a value that has no text",
  ],
  ["a list of messages in the query", "GET /q", "", { nodes: [{}] }, "nodes: a query cannot carry a value of its type"],
  [
    "a map in the query",
    "GET /q",
    "",
    { trees: { texts: { a: "b" } } },
    "trees.texts: a query cannot carry a value of its type",
  ],
  ["a Struct in the query", "GET /q", "", { object: {} }, "object: a query cannot carry a value of its type"],
  [
    "an empty message of nothing but presence",
    "GET /q",
    "",
    { optionalScalars: {} },
    "optional_scalars: a query cannot tell an empty message from none",
  ],
  [
    "an Empty in the query",
    "GET /q",
    "",
    { trees: { empty: {} } },
    "trees.empty: a query cannot tell an empty message from none",
  ],
  [
    "another member of the body's oneof",
    "POST /b",
    "choice_node",
    { choice: { case: "choiceText", value: "a" } },
    "choice_text: the body is another member of its oneof",
  ],
];

describe("a message that a route cannot carry is refused", () => {
  test.each(refused)("%s", (_, route, body, init, reason) => {
    const rawMessage = `no route can carry the message; ${route}: ${reason}`;
    const error = expect.objectContaining({ code: Code.InvalidArgument, rawMessage });
    expect(() => encode(bindingTo(method, route, body), init)).toThrow(error);
  });
});

test("a message without JSON is an internal error", () => {
  const any = { trees: { any: { typeUrl: "x/y.Z", value: Uint8Array.of(1) } } };
  const rawMessage = "manywire.test.rest.v1.Everything cannot be written as JSON";
  expect(() => encode(post, any)).toThrow(expect.objectContaining({ code: Code.Internal, rawMessage }));
});

const several = ["GET /by-number/{number}", "GET /by-text/{text=a/*}", "GET /by-note/{note}", "GET /all"];
const choices: [reason: string, init: Init, request: string][] = [
  ["the first whose variables are set", { number: 1n, note: "n" }, "GET /by-number/1?note=n"],
  ["the next one, if the first would say 0,", { text: "a/b" }, "GET /by-text/a/b"],
  ["the next one, if the pattern does not match,", { text: "c", note: "n" }, "GET /by-note/n?text=c"],
  ["the one that needs none", { flag: true }, "GET /all?flag=true"],
];

test.each(choices)("of several routes %s is taken", (_, init, request) => {
  expect(
    print(
      encode(
        several.map((route) => bindingTo(method, route)),
        init,
      ),
    ),
  ).toBe(request);
});

test("a route whose path says a default is better than none", () => {
  const routes = ["GET /by-text/{text}", "GET /by-number/{number}"].map((route) => bindingTo(method, route));
  expect(print(encode(routes, {}))).toBe("GET /by-number/0");
});

test("if no route can carry a message, the reason of each is said", () => {
  const routes = ["GET /{note}", "GET /q"].map((route) => bindingTo(method, route));
  const rawMessage =
    "no route can carry the message; GET /q: nodes: a query cannot carry a value of its type; GET /{note}: note: is not set, and the path needs it";
  expect(() => encode(routes, { nodes: [{}] })).toThrow(expect.objectContaining({ rawMessage }));
});

test("a method without routes cannot be called", () => {
  const rawMessage = "no route can carry the message";
  expect(() => encode([], {})).toThrow(expect.objectContaining({ rawMessage }));
});

describe("an HttpBody is the bytes and their type", () => {
  const [put] = bindings.filter((binding) => binding.method === RestService.method.file);
  const send = (init: MessageInitShape<typeof FileMessageSchema>) =>
    createRequestEncoder(ownJson, put === undefined ? [] : [put])(create(FileMessageSchema, init));

  test("beside path and query", () => {
    const data = Uint8Array.of(0, 255);
    const { path, query, body } = send({ name: "a/b", label: "c", content: { contentType: "image/png", data } });
    expect({ path, query, body }).toEqual({
      path: "/v1/file/a/b",
      query: "label=c",
      body: { kind: "bytes", contentType: "image/png", data },
    });
  });

  test("and may be absent, but not empty, nor more than bytes", () => {
    expect(send({ name: "a" }).body).toEqual({ kind: "none" });
    expect(() => send({ name: "a", content: {} })).toThrow(
      /content: an empty body without a type cannot be told from none/,
    );
    expect(() => send({ name: "a", content: { extensions: [{}] } })).toThrow(
      /content: a body of bytes has no place for ext/,
    );
    expect(() => send({ name: "a", content: { contentType: "a\r\nb: c" } })).toThrow(
      /content: the content_type is no header value/,
    );
  });
});
