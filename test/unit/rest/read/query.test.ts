import type { JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { createNameFilter } from "../../../../server/rest/read/query.js";
import type { Everything } from "../../../gen/manywire/test/rest/v1/everything_pb.js";
import { bindingOf, decode, decodeToJson, refusal } from "../../../support/rest-bindings.js";

const plain = bindingOf('Query: google.api.http get "/v1/query"');
const withNode = bindingOf('Query: google.api.http get "/v1/query/{node.text=shelves/*}/all"');
const withChoice = bindingOf('Query: google.api.http delete "/v1/query/{choice_number}"');
const withBody = bindingOf('Field: google.api.http patch "/v1/field/{node.text=shelves/*/books/*}"');
const whole = bindingOf('Whole: google.api.http put "/v1/whole/{text}"');

const accepted: [query: string, json: JsonValue, reason: string][] = [
  ["", {}, "nothing"],
  ["&&", {}, "empty pairs"],
  ["text=a", { text: "a" }, "a name"],
  ["text=a&&number=1&", { text: "a", number: "1" }, "empty pairs between"],
  ["choiceText=a", { choiceText: "a" }, "a name in JSON"],
  ["choice_text=a", { choiceText: "a" }, "a name in the proto"],
  ["text=a+b%2Bc%20d", { text: "a b+c d" }, "a plus is a space"],
  ["text=a=b", { text: "a=b" }, "the first = ends the name"],
  ["te%78t=a", { text: "a" }, "a name may be escaped"],
  ["note=", { note: "" }, "nothing is a value"],
  ["note", { note: "" }, "also without ="],
  ["text=", {}, "and the default of a field without presence"],
  ["words=b&words=a&words=b", { words: ["b", "a", "b"] }, "a list keeps its order"],
  ["words=a,b", { words: ["a,b"] }, "a comma separates nothing"],
  ["node.child.text=a&node.number=1", { node: { number: 1, child: { text: "a" } } }, "a path"],
  ["node.number=0", { node: {} }, "a default within makes what it is in present"],
  [
    "scalars.int64Value=1&scalars.uint64_value=2",
    { scalars: { int64Value: "1", uint64Value: "2" } },
    "names at each level",
  ],
  ["scalars.other+name%5B1%5D=x", { scalars: { "other name[1]": "x" } }, "any name"],
  [
    "lists.int32Values=1&words=a&lists.int32Values=2",
    { words: ["a"], lists: { int32Values: [1, 2] } },
    "a list within",
  ],
  [
    "lists.colorValues=COLOR_RED&lists.colorValues=9",
    { lists: { colorValues: ["COLOR_RED", 9] } },
    "a list of enum values",
  ],
  ["lists.wrapped=a&lists.wrapped=", { lists: { wrapped: ["a", ""] } }, "a list of wrappers"],
  ["lists.moments=1970-01-01T00:00:01Z", { lists: { moments: ["1970-01-01T00:00:01Z"] } }, "a list of moments"],
  [
    "lists.bytesValues=_w&lists.bytesValues=%2Fw==",
    { lists: { bytesValues: ["/w==", "/w=="] } },
    "bytes in either alphabet",
  ],
  ["wellKnown.fieldMask=a,b_c.d,eF", { wellKnown: { fieldMask: "a,bC.d,eF" } }, "a mask"],
  ["wellKnown.boolValue=false", { wellKnown: { boolValue: false } }, "a wrapped default is present"],
  ["wellKnown.duration=-1.5s", { wellKnown: { duration: "-1.500s" } }, "a duration"],
  ["choice_node.text=a&choice_node.number=1", { choiceNode: { text: "a", number: 1 } }, "one member of a oneof, twice"],
  [
    "edition.size=SIZE_SMALL&edition.inner.number=0",
    { edition: { size: "SIZE_SMALL", inner: { number: 0 } } },
    "editions",
  ],
  ["names.constructor=a&names.toString=b", { names: { constructor: "a", toString: "b" } }, "names of JavaScript's own"],
  ["$alt=json&$prettyPrint=true&$.x=%41", {}, "system parameters"],
];

describe("a query is read", () => {
  test.each(accepted)('"%s"', (query, json) => {
    expect(decodeToJson(plain, { query })).toEqual(json);
  });
});

test("a field named __proto__ does not set the prototype", () => {
  const message = decode(plain, { query: "names.__proto__=a" }) as Everything;
  expect(message.names?.proto).toBe("a");
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});

const type = "manywire.test.rest.v1.Everything";
const byPathOrBody = "the path or the body sets it, so the query cannot";

const refused: [reason: string, query: string, message: string, field: string][] = [
  ["an unknown name", "nothing=1", `nothing: ${type} has no such field`, "nothing"],
  ["an unknown name within", "node.nothing=1", `node.nothing: ${type} has no such field`, "node.nothing"],
  ["no name", "=1", `: ${type} has no such field`, ""],
  ["a dot alone", ".=1", `.: ${type} has no such field`, "."],
  ["a name of JavaScript's own", "__proto__=1", `__proto__: ${type} has no such field`, "__proto__"],
  [
    "another",
    "constructor.prototype.x=1",
    `constructor.prototype.x: ${type} has no such field`,
    "constructor.prototype.x",
  ],
  ["the name of a oneof", "choice=1", `choice: ${type} has no such field`, "choice"],
  ["a long name", "x".repeat(200), `${"x".repeat(100)}…: ${type} has no such field`, `${"x".repeat(100)}…`],
  [
    "a wrong value",
    "number=a",
    'number: expected an integer from -9223372036854775808 to 9223372036854775807, found "a"',
    "number",
  ],
  ["a long value", `flag=${"x".repeat(200)}`, `flag: expected true or false, found "${"x".repeat(100)}…"`, "flag"],
  [
    "a wrong value within",
    "node.child.number=1.5",
    'node.child.number: expected an integer from -2147483648 to 2147483647, found "1.5"',
    "node.child.number",
  ],
  [
    "a wrong enum value",
    "color=RED",
    'color: expected a name of manywire.test.rest.v1.Color or its number, found "RED"',
    "color",
  ],
  [
    "a wrong moment",
    "moment=now",
    'moment: expected an RFC 3339 time, such as 2024-02-29T12:00:00Z, found "now"',
    "moment",
  ],
  ["one value twice", "text=a&text=a", "text: is given twice, and is no list", "text"],
  [
    "one value under two names",
    "choice_text=a&choiceText=a",
    "choice_text: is given twice, and is no list",
    "choice_text",
  ],
  [
    "one value within twice",
    "node.text=a&node.number=1&node.text=b",
    "node.text: is given twice, and is no list",
    "node.text",
  ],
  ["a message", "node=a", "node: a query cannot carry a value of its type", "node"],
  ["a list of messages", "nodes=a", "nodes: a query cannot carry a value of its type", "nodes"],
  ["a list of messages, within", "nodes.text=a", "nodes: the fields within it cannot be set by a query", "nodes"],
  ["a map", "labels=a", "labels: a query cannot carry a value of its type", "labels"],
  ["a map, within", "labels.a.text=a", "labels: the fields within it cannot be set by a query", "labels"],
  ["a Struct", "trees.struct=a", "trees.struct: a query cannot carry a value of its type", "trees.struct"],
  [
    "a Struct, within",
    "trees.struct.fields=a",
    "trees.struct: the fields within it cannot be set by a query",
    "trees.struct",
  ],
  ["a Value", "trees.value=a", "trees.value: a query cannot carry a value of its type", "trees.value"],
  ["a ListValue", "trees.list=a", "trees.list: a query cannot carry a value of its type", "trees.list"],
  ["an Any", "trees.any=a", "trees.any: a query cannot carry a value of its type", "trees.any"],
  ["an Any, within", "trees.any.type_url=a", "trees.any: the fields within it cannot be set by a query", "trees.any"],
  ["an Empty", "trees.empty=a", "trees.empty: a query cannot carry a value of its type", "trees.empty"],
  ["a moment, within", "moment.seconds=1", "moment: the fields within it cannot be set by a query", "moment"],
  ["a wrapper, within", "wrapped.value=1", "wrapped: the fields within it cannot be set by a query", "wrapped"],
  ["a scalar, within", "text.x=1", "text: the fields within it cannot be set by a query", "text"],
  ["a list, within", "words.0=1", "words: the fields within it cannot be set by a query", "words"],
  [
    "two members of a oneof",
    "choice_text=a&choice_number=1",
    "choice_number: choice_text is set already, of the same oneof choice",
    "choice_number",
  ],
  [
    "two members of a oneof, within",
    "choice_text=a&choice_node.text=1",
    "choice_node.text: choice_text is set already, of the same oneof choice",
    "choice_node.text",
  ],
];

describe("a query is refused", () => {
  test.each(refused)("%s", (_, query, message, field) => {
    expect(refusal(plain, { query })).toEqual({ message, fields: [field] });
  });
});

const notEncoded = "query: invalid percent-encoding or UTF-8";
test.each(["text=%", "text=%zz", "text=%ff", "text=%00", "%ff=1", "nothing=%", "$alt=%"])(
  "%s is refused as a whole",
  (query) => {
    expect(refusal(plain, { query })).toEqual({ message: notEncoded, fields: [] });
  },
);

const claimed: [binding: typeof plain, captures: string[], query: string, message: string, field: string][] = [
  [withNode, ["shelves/1"], "node.text=a", byPathOrBody, "node.text"],
  [withNode, ["shelves/1"], "node=a", "a query cannot carry a value of its type", "node"],
  [withChoice, ["1"], "choiceNumber=2", byPathOrBody, "choice_number"],
  [withChoice, ["1"], "choice_text=2", "the path or the body sets another member of the oneof choice", "choice_text"],
  [
    withChoice,
    ["1"],
    "choice_node.text=2",
    "the path or the body sets another member of the oneof choice",
    "choice_node",
  ],
  [withBody, ["shelves/1/books/2"], "node.number=1", byPathOrBody, "node"],
  [withBody, ["shelves/1/books/2"], "node.nothing=1", byPathOrBody, "node"],
  [whole, ["a"], "text=b", byPathOrBody, "text"],
  [whole, ["a"], "number=1", byPathOrBody, "number"],
  [whole, ["a"], "node.text=1", byPathOrBody, "node"],
  [whole, ["a"], "nothing=1", `${type} has no such field`, "nothing"],
];

describe("what the path or the body sets, the query cannot", () => {
  test.each(claimed)("row %#", (binding, captures, query, description, field) => {
    expect(refusal(binding, { captures, query })).toEqual({ message: `${field}: ${description}`, fields: [field] });
  });
});

test("what is beside a field of the path can be set by the query", () => {
  const json = decodeToJson(withNode, { captures: ["shelves/1"], query: "node.number=1&node.child.text=a" });
  expect(json).toEqual({ node: { text: "shelves/1", number: 1, child: { text: "a" } } });
});

test("unknown names are passed over if so asked, and nothing else is", () => {
  const options = { ignoreUnknownParameters: true };
  expect(decodeToJson(plain, { query: "utm_source=x&text=a&node.nothing=1" }, options)).toEqual({ text: "a" });
  expect(refusal(plain, { query: "node=1" }, options).fields).toEqual(["node"]);
  expect(refusal(whole, { captures: ["a"], query: "text=b" }, options).fields).toEqual(["text"]);
});

test("names of a list are passed over where no field has them", () => {
  const options = { ignoredParameters: ["key", "utm_*", "text", "node.*"] };
  expect(decodeToJson(plain, { query: "key=1&key=2&utm_source=x&utm_=y&text=a&node.nothing=1" }, options)).toEqual({
    text: "a",
  });
  for (const name of ["Key", "key.a", "keys", "utm", "xutm_a"]) {
    expect(refusal(plain, { query: `${name}=1` }, options).fields).toEqual([name]);
  }
  expect(refusal(plain, { query: "node=1" }, options).fields).toEqual(["node"]);
  expect(refusal(whole, { captures: ["a"], query: "text=b" }, options).fields).toEqual(["text"]);
  expect(decodeToJson(plain, { query: "a=1&b.c=2" }, { ignoredParameters: ["*"] })).toEqual({});
});

test.each(["", "a*b", "**", "*a", "a**"])("%j is no name to pass over", (name) => {
  expect(() => createNameFilter(["key", name])).toThrow(
    new RangeError(
      `rest.ignoredParameters: expected names, with "*" at most at the end, found ${JSON.stringify(name)}`,
    ),
  );
});

test("the number of parameters is limited", () => {
  const query = Array.from({ length: 1_000 }, () => "words=a").join("&&");
  expect(decode(plain, { query })).toMatchObject({ words: { length: 1_000 } });
  expect(refusal(plain, { query: `${query}&words=a` })).toEqual({
    message: "the query has more than 1000 parameters",
    fields: [],
  });
  expect(refusal(plain, { query: "$a&$b" }, { queryParameterLimit: 1 }).message).toBe(
    "the query has more than 1 parameters",
  );
});

test("the number of names in a path is limited", () => {
  const path = (length: number) => `node${".child".repeat(length - 2)}.text`;
  expect(decode(plain, { query: `${path(32)}=a` })).toHaveProperty(path(32), "a");
  expect(refusal(plain, { query: `${path(33)}=a` }).message).toMatch(/: a path may have at most 32 names$/);
  expect(refusal(plain, { query: "node.text=a" }, { queryDepthLimit: 1 })).toEqual({
    message: "node.text: a path may have at most 1 names",
    fields: ["node.text"],
  });
});
