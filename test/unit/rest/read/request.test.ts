import { isMessage, type JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { KeptEncoded } from "../../../../server/rest/percent.js";
import { createResponseEncoder } from "../../../../server/rest/response.js";
import { type Everything, EverythingSchema } from "../../../gen/manywire/test/rest/v1/everything_pb.js";
import type { FileMessage } from "../../../gen/manywire/test/rest/v1/rest_pb.js";
import { bindingOf, decode, decodeToJson, refusal, registry, type Sent } from "../../../support/rest-bindings.js";

const post = bindingOf('Whole: google.api.http post "/v1/whole"');
const put = bindingOf('Whole: google.api.http put "/v1/whole/{text}"');
const patch = bindingOf('Whole: google.api.http patch "/v1/whole/{node.text}/{node.child.number}"');
const choose = bindingOf('Whole: google.api.http post "/v1/whole/{choice_text}:choose"');
const books = bindingOf('Field: google.api.http patch "/v1/field/{node.text=shelves/*/books/*}"');
const file = bindingOf('File: google.api.http put "/v1/file/{name=**}"');
const wholeFile = bindingOf('File: google.api.http post "/v1/file"');
const raw = bindingOf('Raw: google.api.http post "/v1/raw"');
const field = (name: string) => bindingOf(`Field: google.api.http post "/v1/field/${name}"`);

const accepted: [reason: string, binding: typeof post, sent: Sent, json: JsonValue][] = [
  ["an empty body is the empty message", post, {}, {}],
  ["an object", post, { body: '{"text":"a","node":{"number":1}}' }, { text: "a", node: { number: 1 } }],
  ["names of the proto", post, { body: '{"choice_text":"a"}' }, { choiceText: "a" }],
  ["null is nothing", post, { body: '{"text":null,"node":null,"words":null}' }, {}],
  ["a byte order mark is passed over", post, { body: '\ufeff{"text":"a"}' }, { text: "a" }],
  [
    "unknown fields are passed over",
    post,
    { body: '{"text":"a","x":{"y":1},"node":{"z":1}}' },
    { text: "a", node: {} },
  ],
  ["unknown names of enum values too", post, { body: '{"color":"PINK","text":"a"}' }, { text: "a" }],
  [
    "an Any of a known type",
    post,
    { body: '{"trees":{"any":{"@type":"x/google.protobuf.Duration","value":"1s"}}}' },
    { trees: { any: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1s" } } },
  ],
  [
    "a field of the path and the body",
    put,
    { captures: ["a%2Fb"], body: '{"number":1}' },
    { text: "a/b", number: "1" },
  ],
  [
    "the path goes before the body",
    put,
    { captures: ["a"], body: '{"text":"b","number":1}' },
    { text: "a", number: "1" },
  ],
  [
    "also within",
    patch,
    { captures: ["a", "1"], body: '{"node":{"text":"b","mark":"c","child":{"text":"d","number":2}}}' },
    { node: { text: "a", mark: "c", child: { text: "d", number: 1 } } },
  ],
  ["a path makes what its fields are in", patch, { captures: ["a", "0"] }, { node: { text: "a", child: {} } }],
  ["the same member of a oneof", choose, { captures: ["a"], body: '{"choiceText":"b"}' }, { choiceText: "a" }],
  [
    "a message, and a field within it from the path",
    books,
    { captures: ["shelves/1/books/2"], body: '{"text":"x","number":3}', query: "words=a" },
    { node: { text: "shelves/1/books/2", number: 3 }, words: ["a"] },
  ],
  [
    "no message, but a field within it",
    books,
    { captures: ["shelves/1/books/2"] },
    { node: { text: "shelves/1/books/2" } },
  ],
  [
    "a null message, but a field within it",
    books,
    { captures: ["shelves/1/books/2"], body: "null" },
    { node: { text: "shelves/1/books/2" } },
  ],
  ["a string", field("text"), { body: '"a"', query: "number=1" }, { text: "a", number: "1" }],
  ["a 64-bit number", field("number"), { body: "9007199254740993" }, { number: "9007199254740993" }],
  [
    "a 64-bit number in a string is exact",
    field("number"),
    { body: '"9007199254740993"' },
    { number: "9007199254740993" },
  ],
  ["bytes", field("data"), { body: '"AAA="' }, { data: "AAA=" }],
  ["an enum value", field("color"), { body: '"COLOR_RED"' }, { color: "COLOR_RED" }],
  ["a string with presence", field("note"), { body: '""' }, { note: "" }],
  ["no string with presence", field("note"), {}, {}],
  ["a list of strings", field("words"), { body: ' ["a","b"] ', query: "text=c" }, { text: "c", words: ["a", "b"] }],
  ["a list of messages", field("nodes"), { body: '[{"text":"a"},{}]' }, { nodes: [{ text: "a" }, {}] }],
  ["a map", field("labels"), { body: '{"a":{"number":1}}' }, { labels: { a: { number: 1 } } }],
  ["a moment", field("moment"), { body: '"1970-01-01T00:00:01Z"' }, { moment: "1970-01-01T00:00:01Z" }],
  ["a wrapper", field("wrapped"), { body: "0" }, { wrapped: "0" }],
  ["a Struct", field("object"), { body: '{"a":[1,null]}' }, { object: { a: [1, null] } }],
  ["a Value", field("value"), { body: "null" }, { value: null }],
  [
    "a member of a oneof",
    field("choice").requestBody.kind === "json" ? field("choice") : post,
    { body: '{"text":"a"}' },
    { choiceNode: { text: "a" } },
  ],
];

describe("a request is read", () => {
  test.each(accepted)("%s", (_, binding, sent, json) => {
    expect(decodeToJson(binding, sent, { registry })).toEqual(json);
  });
});

test("every type can be in a path", () => {
  const scalars = bindingOf(
    `Path: google.api.http get "${"/v1/path"}${["double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes", "color", "text", "renamed"].map((name) => `/{scalars.${name}_value}`).join("")}"`,
  );
  const captures = [
    "-1.5e3",
    "NaN",
    "-1",
    "-9223372036854775808",
    "4294967295",
    "18446744073709551615",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "true",
    "a%2Fb+c",
    "-_8",
    "COLOR_GREEN",
    "9007199254740993",
    "%E2%82%AC",
  ];
  expect(decodeToJson(scalars, { captures })).toEqual({
    scalars: {
      doubleValue: -1500,
      floatValue: "NaN",
      int32Value: -1,
      int64Value: "-9223372036854775808",
      uint32Value: 4294967295,
      uint64Value: "18446744073709551615",
      sint32Value: 1,
      sint64Value: "2",
      fixed32Value: 3,
      fixed64Value: "4",
      sfixed32Value: 5,
      sfixed64Value: "6",
      boolValue: true,
      stringValue: "a/b+c",
      bytesValue: "+/8=",
      colorValue: "COLOR_GREEN",
      textValue: "9007199254740993",
      "other name[1]": "€",
    },
  });
});

const refused: [reason: string, binding: typeof post, sent: Sent, message: string | RegExp, fields: string[]][] = [
  [
    "no UTF-8",
    post,
    { body: Uint8Array.of(0x22, 0xff, 0x22) },
    "JSON line 1, column 1: a string is not valid UTF-8",
    [],
  ],
  ["no JSON", post, { body: "{" }, "JSON line 1, column 2: expected a string, found the end", []],
  ["two JSON values", post, { body: "{}{}" }, 'JSON line 1, column 3: expected the end, found "{"', []],
  ["no object", post, { body: "[]" }, "manywire.test.rest.v1.Everything: expected an object, found an array", []],
  ["null", post, { body: "null" }, "manywire.test.rest.v1.Everything: expected an object, found null", []],
  ["a key twice", post, { body: '{"text":"a","text":"b"}' }, "text: is set twice", ["text"]],
  ["a wrong type", post, { body: '{"text":1}' }, "text: expected a string, found 1", ["text"]],
  [
    "a number out of range",
    post,
    { body: '{"node":{"number":2147483648}}' },
    "node.number: expected an integer from -2147483648 to 2147483647, found 2147483648",
    ["node.number"],
  ],
  [
    "a wrong type within",
    post,
    { body: '{"node":{"child":{"text":true}}}' },
    "node.child.text: expected a string, found true",
    ["node.child.text"],
  ],
  [
    "a message that is none",
    post,
    { body: '{"node":{"child":[]}}' },
    "node.child: expected an object, found an array",
    ["node.child"],
  ],
  ["a wrong item", post, { body: '{"words":["a",null]}' }, "words[1]: expected a string, found null", ["words[1]"]],
  ["a list that is none", post, { body: '{"words":"a"}' }, 'words: expected an array, found "a"', ["words"]],
  [
    "a list of messages that is none",
    post,
    { body: '{"nodes":{}}' },
    "nodes: expected an array, found an object",
    ["nodes"],
  ],
  [
    "a wrong field of an item",
    post,
    { body: '{"nodes":[{},{"number":"x"}]}' },
    'nodes[1].number: expected an integer from -2147483648 to 2147483647, found "x"',
    ["nodes[1].number"],
  ],
  ["a null item", post, { body: '{"nodes":[null]}' }, "nodes[0]: expected an object, found null", ["nodes[0]"]],
  [
    "a wrong entry",
    post,
    { body: '{"trees":{"numbers":{"1":1,"x":1}}}' },
    'trees.numbers["x"]: expected a key that is an integer from -2147483648 to 2147483647, found "x"',
    ['trees.numbers["x"]'],
  ],
  [
    "a wrong field of an entry",
    post,
    { body: '{"labels":{"a":{"text":1}}}' },
    'labels["a"].text: expected a string, found 1',
    ['labels["a"].text'],
  ],
  ["a map that is none", post, { body: '{"labels":[]}' }, "labels: expected an object, found an array", ["labels"]],
  [
    "a wrong moment",
    post,
    { body: '{"moment":"now"}' },
    'moment: expected an RFC 3339 time, such as 2024-02-29T12:00:00Z, found "now"',
    ["moment"],
  ],
  [
    "an Any without a type",
    post,
    { body: '{"trees":{"any":{"a":1}}}' },
    'trees.any.@type: expected the URL of a known type, found ""',
    ["trees.any.@type"],
  ],
  [
    "an Any of an unknown type",
    post,
    { body: '{"trees":{"any":{"@type":"x/y.Z"}}}' },
    'trees.any.@type: expected the URL of a known type, found "x/y.Z"',
    ["trees.any.@type"],
  ],
  [
    "two members of a oneof",
    post,
    { body: '{"choiceText":"a","choiceNumber":1}' },
    "choice_number: choice_text is set already, of the same oneof choice",
    ["choice_number"],
  ],
  [
    "two names of a field",
    post,
    { body: '{"choiceText":"a","choice_text":"a"}' },
    "choice_text: is set twice",
    ["choice_text"],
  ],
  [
    "two members of a oneof, one of them null",
    post,
    { body: '{"choiceText":"a","choiceNode":null}' },
    "choice_node: choice_text is set already, of the same oneof choice",
    ["choice_node"],
  ],
  [
    "two names of a field within",
    post,
    { body: '{"scalars":{"int32Value":null,"int32_value":1}}' },
    "scalars.int32_value: is set twice",
    ["scalars.int32_value"],
  ],
  [
    "a member of a oneof beside the path's",
    choose,
    { captures: ["a"], body: '{"choiceNumber":1}' },
    "choice_text: choice_number is set already, of the same oneof choice",
    ["choice_text"],
  ],
  [
    "a wrong value in the path",
    patch,
    { captures: ["a", "b"] },
    'node.child.number: expected an integer from -2147483648 to 2147483647, found "b"',
    ["node.child.number"],
  ],
  ["no JSON for a field", field("text"), { body: "a" }, 'JSON line 1, column 1: expected a value, found "a"', []],
  [
    "more than JSON for a field",
    field("text"),
    { body: '"a","number":1' },
    'JSON line 1, column 4: expected the end, found ","',
    [],
  ],
  [
    "a wrong type for a field",
    field("words"),
    { body: '["a",1]' },
    "words[1]: expected a string, found 1",
    ["words[1]"],
  ],
  [
    "too deep",
    post,
    { body: `{"node":${'{"child":'.repeat(200)}{}${"}".repeat(200)}}` },
    /^node(\.child)+[.child]*…: expected at most 100 levels, found more$/,
    [expect.stringMatching(/^node\.child/) as unknown as string],
  ],
  [
    "deeper",
    post,
    { body: `{"trees":{"list":${"[".repeat(100_000)}${"]".repeat(100_000)}}}` },
    /^trees\.list(\[0\])+.*…: expected at most 100 levels, found more$/,
    [expect.stringMatching(/^trees\.list\[0\]/) as unknown as string],
  ],
];

describe("a request is refused", () => {
  test.each(refused)("%s", (_, binding, sent, message, fields) => {
    const found = refusal(binding, sent);
    expect(found.fields).toEqual(fields);
    expect(found.message).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
  });
});

test("one wrong item of many is found in the time that it takes to read them a few times", () => {
  const words = Array.from({ length: 100_000 }, (_, index) => (index === 77_777 ? 1 : "a"));
  // One after the other they would take minutes.
  const start = process.cpuUsage();
  expect(refusal(post, { body: JSON.stringify({ words }) }).fields).toEqual(["words[77777]"]);
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(3_000);
});

test("unknown fields are refused if so asked", () => {
  const options = { ignoreUnknownFields: false };
  expect(refusal(post, { body: '{"nodes":[{"x":1}]}' }, options)).toEqual({
    message: "nodes[0].x: manywire.test.rest.v1.Node has no such field",
    fields: ["nodes[0].x"],
  });
  expect(refusal(post, { body: '{"color":"PINK"}' }, options).fields).toEqual(["color"]);
});

const kept: [KeptEncoded | undefined, string][] = [
  [undefined, "shelves/a%2Fb/books/:c"],
  ["slash", "shelves/a%2Fb/books/:c"],
  ["reserved", "shelves/a%2Fb/books/%3Ac"],
  ["nothing", "shelves/a/b/books/:c"],
];

test.each(kept)("of a variable of several segments, %s stays encoded: %s", (keptEncoded, text) => {
  const options = keptEncoded === undefined ? {} : { keptEncoded };
  expect(decodeToJson(books, { captures: ["shelves/a%2Fb/books/%3Ac"] }, options)).toEqual({ node: { text } });
});

const prototypes = [
  '{"labels":{"__proto__":{"text":"a"}}}',
  '{"labels":{"\\u005f_proto__":{"text":"a"}}}',
  '{"labels":{"__pro\\u0074o__":{"text":"a"}}}',
  '{"trees":{"texts":{"__proto__":"a"}}}',
  '{"object":{"__proto__":{"a":1}}}',
  '{"object":{"a":[{"b":{"__proto__":{"a":1}}}]}}',
  '{"value":{"__proto__":{"a":1}}}',
  '{"trees":{"list":[{"__proto__":{"a":1}}]}}',
  '{"trees":{"branches":{"true":{}},"texts":{"a":"b","__proto__":"c"}}}',
];

test.each(prototypes)("a map keeps the key __proto__ as any other: %s", (body) => {
  const message = decode(post, { body });
  const written = createResponseEncoder(post, { registry })(message);
  expect(written.kind === "json" && JSON.parse(written.text)).toEqual(JSON.parse(body));
  // Not as the prototype: what is in the map is its own.
  const maps = [...objectsIn(message)].filter((one) => Object.hasOwn(one, "__proto__"));
  expect(maps).toHaveLength(1);
  expect([...objectsIn(message)].map(Object.getPrototypeOf).filter((one) => one?.a ?? one?.text)).toEqual([]);
});

/** Every object in a value, itself among them. */
function* objectsIn(value: unknown): Generator<object> {
  if (typeof value !== "object" || value === null) return;
  yield value;
  for (const one of Object.values(value)) yield* objectsIn(one);
}

test("as the name of a field __proto__ is ordinary, and as a value", () => {
  const body = '{"__proto__":{"text":"a"},"names":{"__proto__":"b","constructor":"c"},"text":"__proto__"}';
  const message = decode(post, { body }) as Everything;
  expect(message).toMatchObject({ text: "__proto__", names: { proto: "b", constructor$: "c" } });
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  expect(isMessage(message, EverythingSchema)).toBe(true);
});

test("an HttpBody is the bytes and their type", () => {
  const body = Uint8Array.of(0, 255);
  expect(decode(raw, { body, contentType: "image/png" })).toMatchObject({ contentType: "image/png", data: body });
  expect(decode(raw, {})).toMatchObject({ contentType: "", data: new Uint8Array() });
  const message = decode(file, {
    captures: ["a/b%2Fc"],
    query: "label=x",
    body,
    contentType: "image/png",
  }) as FileMessage;
  expect(message).toMatchObject({ name: "a/b%2Fc", label: "x", content: { contentType: "image/png", data: body } });
});

test("an HttpBody that is the body is absent if nothing was sent", () => {
  expect((decode(file, { captures: ["a"] }) as FileMessage).content).toBeUndefined();
  expect((decode(file, { captures: ["a"], contentType: "a/b" }) as FileMessage).content).toBeDefined();
});

test("an HttpBody elsewhere is JSON", () => {
  const body = '{"name":"a","content":{"contentType":"a/b","data":"AAA="}}';
  expect(decodeToJson(wholeFile, { body })).toEqual({ name: "a", content: { contentType: "a/b", data: "AAA=" } });
});
