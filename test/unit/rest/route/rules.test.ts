import { create, createFileRegistry, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { http } from "../../../../gen/google/api/annotations_pb.js";
import { type HttpRule, HttpRuleSchema, HttpSchema } from "../../../../gen/google/api/http_pb.js";
import { printFieldPath } from "../../../../server/rest/fields.js";
import { RoutingError, readRules } from "../../../../server/rest/route/rules.js";
import { printTemplate } from "../../../../server/rest/route/template.js";
import { RestService } from "../../../gen/manywire/test/rest/v1/rest_pb.js";
import { bindings, problemsOf } from "../../../support/rest-bindings.js";
import { routesOf } from "../../../support/routing.js";

type Init = MessageInitShape<typeof HttpRuleSchema>;

const ruleOf = (pattern: Init["pattern"], additionalBindings: HttpRule[] = []): HttpRule =>
  create(HttpRuleSchema, pattern === undefined ? { additionalBindings } : { pattern, additionalBindings });
const get = (template: string, ...additional: HttpRule[]) => ruleOf({ case: "get", value: template }, additional);
const service = RestService.typeName;
const input = "manywire.test.rest.v1.Everything";

/** A service whose methods carry these annotations. */
function greeter(annotations: Record<string, HttpRule>) {
  const method = Object.entries(annotations).map(([name, rule]) => {
    const options = create(MethodOptionsSchema);
    setExtension(options, http, rule);
    return { name, inputType: ".hello_world.HelloRequest", outputType: ".hello_world.HelloRequest", options };
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "hello_world.proto",
    package: "hello_world",
    syntax: "proto3",
    messageType: [{ name: "HelloRequest", field: [{ name: "name", number: 1, type: 9, label: 1, jsonName: "name" }] }],
    service: [{ name: "Greeter", method }],
  });
  const found = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService("hello_world.Greeter");
  if (found === undefined) throw new Error("the service is lost");
  return found;
}

function failure(run: () => unknown): RoutingError {
  try {
    run();
  } catch (error) {
    if (error instanceof RoutingError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("every rule of the test service is a binding, in the order of the schema", () => {
  const counts = RestService.methods.map(({ name }) => [
    name,
    bindings.filter((binding) => binding.method.name === name).length,
  ]);
  expect(counts).toEqual([
    ["Whole", 4],
    ["Field", 14],
    ["Query", 3],
    ["Path", 4],
    ["Template", 7],
    ["Custom", 2],
    ["Raw", 1],
    ["File", 2],
    ["ServerStream", 2],
    ["ClientStream", 2],
    ["BidiStream", 1],
    ["Download", 1],
    ["Unrouted", 0],
  ]);
});

test("a binding has its names resolved", () => {
  const views = bindings
    .filter(({ method }) => ["File", "Custom", "Raw"].includes(method.name))
    .map(({ httpMethod, template, variables, requestBody, responseBody }) => [
      `${httpMethod} ${printTemplate(template)}`,
      variables.map(({ fields, isMultiSegment }) => [printFieldPath(fields), isMultiSegment]),
      requestBody.kind === "none" ? "none" : `${requestBody.kind} ${requestBody.field?.name ?? "*"}`,
      `${responseBody.kind} ${responseBody.field?.name ?? "*"}`,
    ]);
  expect(views).toEqual([
    ["PURGE /v1/custom/{name}", [["name", false]], "none", "json *"],
    ["* /v1/any/{name}", [["name", false]], "json *", "json *"],
    ["POST /v1/raw", [], "bytes *", "bytes *"],
    ["PUT /v1/file/{name=**}", [["name", true]], "bytes content", "bytes content"],
    ["POST /v1/file", [], "json *", "json *"],
  ]);
});

test("a literal and a path with one segment are not multi-segment variables", () => {
  const single = bindings.filter(({ variables }) => variables.some(({ isMultiSegment }) => !isMultiSegment));
  expect(single.map(({ template }) => printTemplate(template))).toContain("/v1/{name=operations}");
});

/** What is wrong with a rule of Query, and how that is said. */
const wrong: [reason: string, rule: HttpRule, problem: string][] = [
  [
    "a template outside the grammar",
    get("/v1/{text"),
    'get "/v1/{text": column 10: expected "}" or "=", found end of template',
  ],
  ["an unknown field", get("/a/{b}"), `get "/a/{b}": column 5: expected a field of ${input}, found "b"`],
  [
    "a JSON name",
    get("/{choiceText}"),
    `get "/{choiceText}": column 3: expected a field of ${input}, found "choiceText"`,
  ],
  [
    "an unknown field within",
    get("/{node.child.texts=*}"),
    'get "/{node.child.texts=*}": column 14: expected a field of manywire.test.rest.v1.Node, found "texts"',
  ],
  [
    "a list",
    get("/{words}"),
    'get "/{words}": column 3: expected a field that is one scalar, enum, or well-known scalar, found the list "words"',
  ],
  [
    "a map",
    get("/{labels}"),
    'get "/{labels}": column 3: expected a field that is one scalar, enum, or well-known scalar, found the map "labels"',
  ],
  [
    "a message",
    get("/{node}"),
    'get "/{node}": column 3: expected a field that is one scalar, enum, or well-known scalar, found the message manywire.test.rest.v1.Node "node"',
  ],
  [
    "a message that is JSON of any kind",
    get("/{value}"),
    'get "/{value}": column 3: expected a field that is one scalar, enum, or well-known scalar, found the message google.protobuf.Value "value"',
  ],
  [
    "a path through a scalar",
    get("/{text.x}"),
    'get "/{text.x}": column 3: expected a field that is one message, found the scalar "text"',
  ],
  [
    "a path through a list",
    get("/{nodes.text}"),
    'get "/{nodes.text}": column 3: expected a field that is one message, found the list "nodes"',
  ],
  [
    "a path through a map",
    get("/{labels.text}"),
    'get "/{labels.text}": column 3: expected a field that is one message, found the map "labels"',
  ],
  [
    "a path through a well-known type",
    get("/{moment.seconds}"),
    'get "/{moment.seconds}": column 3: expected a field that is one message, found the message google.protobuf.Timestamp "moment"',
  ],
  [
    "two members of a oneof",
    get("/{choice_text}/{choice_node.text}"),
    'get "/{choice_text}/{choice_node.text}": column 17: expected a field that can be set beside "choice_text", found "choice_node.text" of the same oneof',
  ],
  ["an unknown body", { ...get("/a"), body: "b" }, `get "/a": body: expected a field of ${input}, found "b"`],
  [
    "a body within",
    { ...get("/a"), body: "node.text" },
    `get "/a": body: expected a field of ${input}, found "node.text"`,
  ],
  [
    "a body by its JSON name",
    { ...get("/a"), body: "choiceText" },
    `get "/a": body: expected a field of ${input}, found "choiceText"`,
  ],
  [
    "a body that the path binds",
    { ...get("/{text}"), body: "text" },
    'get "/{text}": body: expected a field that the path does not bind, found "text"',
  ],
  [
    "a body that rules out the path",
    { ...get("/{choice_node.text}"), body: "choice_text" },
    'get "/{choice_node.text}": body: expected a field that can be set beside "choice_node.text", found "choice_text" of the same oneof',
  ],
  [
    "an unknown response_body",
    { ...get("/a"), responseBody: "b" },
    `get "/a": response_body: expected a field of ${input}, found "b"`,
  ],
  [
    "a response_body of all",
    { ...get("/a"), responseBody: "*" },
    `get "/a": response_body: expected a field of ${input}, found "*"`,
  ],
  ["no pattern", ruleOf(undefined), 'expected an HTTP method in capitals or "*", found none'],
  [
    "a custom method without a name",
    ruleOf({ case: "custom", value: { path: "/a" } }),
    'custom "" "/a": expected an HTTP method in capitals or "*", found none',
  ],
  [
    "a custom method in small letters",
    ruleOf({ case: "custom", value: { kind: "purge", path: "/a" } }),
    'custom "purge" "/a": expected an HTTP method in capitals or "*", found "purge"',
  ],
  [
    "additional bindings of additional bindings",
    get("/a", get("/b", get("/c"))),
    "expected additional_bindings without their own additional_bindings, found some with",
  ],
];

describe("a wrong rule is named", () => {
  test.each(wrong)("%s", (_, rule, problem) => {
    const separator = /^expected/.test(problem) ? ": " : " ";
    const expected = `${service}.Query: http rule${separator}${problem}`;
    expect(problemsOf([{ ...rule, selector: `${service}.Query` }])).toEqual([expected]);
  });
});

test("the name of the method, the template, the column, what was expected and what was found are said", () => {
  const error = failure(() => routesOf([greeter({ SayHello: ruleOf({ case: "post", value: "/v1/{name" }) })]));
  expect(error.problems).toEqual([
    'hello_world.Greeter.SayHello: google.api.http post "/v1/{name": column 10: expected "}" or "=", found end of template',
  ]);
});

test("everything that is wrong is said at once, conflicts too", () => {
  const annotations = {
    A: get("/a/{x}", get("a"), get("/a")),
    B: get("/a", { ...get("/b"), body: "c" }),
  };
  const error = failure(() => routesOf([greeter(annotations)]));
  expect(error.problems).toEqual([
    'hello_world.Greeter.A: google.api.http get "/a/{x}": column 5: expected a field of hello_world.HelloRequest, found "x"',
    'hello_world.Greeter.A: google.api.http get "a": column 1: expected "/", found "a"',
    'hello_world.Greeter.B: google.api.http get "/b": body: expected a field of hello_world.HelloRequest, found "c"',
    'hello_world.Greeter.B: google.api.http get "/a": expected a route that no other method has, found the same as hello_world.Greeter.A: google.api.http get "/a"',
  ]);
  expect(error.message).toBe(error.problems.join("\n"));
});

test("a selector of a service that is not served is passed over, and returned", () => {
  const config = create(HttpSchema, {
    rules: [
      { ...get("/v1/{name=operations/**}"), selector: "google.longrunning.Operations.GetOperation" },
      { ...get("wrong"), selector: "google.cloud.location.Locations.ListLocations" },
      { ...get("/right"), selector: `${service}.Template` },
    ],
  });
  const { problems, unserved, bindings: own } = readRules([RestService], config);
  expect([problems, unserved]).toEqual([
    [],
    ["google.longrunning.Operations.GetOperation", "google.cloud.location.Locations.ListLocations"],
  ]);
  expect(own.filter(({ method }) => method.name === "Template").map(({ template }) => printTemplate(template))).toEqual(
    ["/right"],
  );
});

test("methods have no routes where the option says so", () => {
  const routed = (...withoutRoutes: string[]) => {
    const names = readRules([RestService], undefined, { withoutRoutes }).bindings.map(({ method }) => method.name);
    return [...new Set(names)].length;
  };
  const all = routed();
  expect(routed(`${service}.Template`)).toBe(all - 1);
  expect(routed(`${service}.Template`, `${service}.Raw`)).toBe(all - 2);
  expect([routed(`${service}.*`), routed("manywire.*"), routed("*")]).toEqual([0, 0, 0]);
  const unused = [`${service}.Wrong`, "other.*", service, ""];
  expect(readRules([RestService], undefined, { withoutRoutes: [...unused, `${service}.Raw`] }).unused).toEqual(unused);
});

test("the rule of a method without routes is not looked at", () => {
  const config = create(HttpSchema, { rules: [{ ...get("wrong"), selector: `${service}.Template` }] });
  expect(readRules([RestService], config, { withoutRoutes: [`${service}.Template`] }).problems).toEqual([]);
});

test("a selector that names no method is wrong", () => {
  const rules = [{ ...get("/a"), selector: `${service}.Wrong` }, get("/b")];
  expect(problemsOf(rules)).toEqual([
    `${service}.Wrong: http rule: expected the name of a method that is served, found no such method`,
    '"": http rule: expected the name of a method that is served, found no such method',
  ]);
});

test("a rule of a service configuration replaces the annotation, the last one of several", () => {
  const selector = `${service}.Template`;
  const config = create(HttpSchema, {
    rules: [
      { ...get("/wrong"), selector },
      { ...get("/right", get("/{name}")), selector },
      { ...get("/unrouted"), selector: `${service}.Unrouted` },
    ],
  });
  const routing = routesOf([RestService], { http: config });
  const own = routing.bindings.filter(({ method }) => ["Template", "Unrouted"].includes(method.name));
  expect(own.map(({ template }) => printTemplate(template))).toEqual(["/right", "/{name}", "/unrouted"]);
  expect(routing.bindings.length).toBe(bindings.length - 7 + 3);
  expect(routing.routes.find("GET", "/v1/operations").kind).toBe("no-path");
});
