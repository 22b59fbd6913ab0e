import { describe, expect, it } from "vitest";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { plainText } from "../../../server/openapi/inline-markdown.js";
import type { Parameter, Response, Schema } from "../../../server/openapi/types.js";
import { DepotService } from "../../gen/manywire/test/describe/v1/depot_pb.js";
import { LibraryService } from "../../gen/manywire/test/describe/v1/library_pb.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { jsonBody, listOperations, type Place, resolve } from "../../support/draw.js";
import { createUpdateService } from "../../support/update-service.js";
import { documentOf, operationOf, schemaOf } from "./describe.js";

const library = documentOf([LibraryService]);
const rest = documentOf([RestService]);
const listed = (document: typeof library) =>
  listOperations(document).map(({ httpMethod, path, operation }) =>
    [httpMethod, path, operation.operationId].join(" "),
  );

/** The schema of the JSON that an operation takes. */
const bodyOf = (document: typeof library, place: string) => {
  const schema = jsonBody(operationOf(document, place));
  return schema && resolve(document, schema);
};

describe("operations", () => {
  it("are the routes and the unary methods over Connect, with GET where a method has no side effects", () => {
    expect(listed(documentOf([Greeter]))).toEqual([
      "POST /v1/example/echo Greeter_SayHello",
      "GET /v1/example/echo/{name} Greeter_SayHelloAgain",
      "POST /hello_world.Greeter/SayHello Greeter_SayHello_Connect",
      "GET /hello_world.Greeter/SayHello Greeter_SayHello_ConnectGet",
      "POST /hello_world.Greeter/SayHelloAgain Greeter_SayHelloAgain_Connect",
      "GET /hello_world.Greeter/SayHelloAgain Greeter_SayHelloAgain_ConnectGet",
    ]);
  });

  it("have ids of their own, and the parameters that their paths name", () => {
    for (const document of [library, rest]) {
      const all = listOperations(document);
      expect(new Set(all.map(({ operation }) => operation.operationId)).size).toBe(all.length);
      for (const { path, operation } of all) {
        const named = ((operation.parameters ?? []) as Parameter[]).filter((one) => one.in === "path");
        expect(named.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{[^}]+\}/g) ?? []);
      }
    }
  });

  it.each([
    [["rest"], ["Greeter (REST)"]],
    [["connect"], ["Greeter (Connect)"]],
    [[], []],
  ] as const)("of kinds %j have tags %j", (operations, tags) => {
    const document = documentOf([Greeter], { docs: { operations } });
    expect(document.tags.map(({ name }) => name)).toEqual(tags);
    expect(new Set(listOperations(document).flatMap(({ operation }) => operation.tags))).toEqual(new Set(tags));
  });

  it("of streams are not over Connect, which has frames there", () => {
    const unary = TestService.methods.filter(({ methodKind }) => methodKind === "unary").map(({ name }) => name);
    const described = listOperations(documentOf([TestService], { docs: { operations: ["connect"] } }));
    const names = described
      .map(({ path }) => path.split("/"))
      .filter(([, service]) => service === TestService.typeName);
    expect(new Set(names.map(([, , name]) => name))).toEqual(new Set(unary));
  });

  it("of a server without Connect are the routes only", () => {
    expect(listed(documentOf([Greeter], { connect: false }))).toHaveLength(2);
  });

  it("by HTTP methods that OpenAPI has no name for are in an extension", () => {
    const item = rest.paths["/v1/custom/{name}"];
    expect(item).toMatchObject({ "x-additionalOperations": { PURGE: { operationId: "RestService_Custom" } } });
  });

  it("by any HTTP method are those that a client would take", () => {
    expect(operationOf(rest, "post /v1/any/{name}").description).toContain("Any HTTP method will do.");
  });
});

describe("texts", () => {
  it("are the first sentence, and all of a comment if it has more", () => {
    const { summary, description } = operationOf(library, "post /v1/shelves/{shelf}/books");
    expect({ summary, description }).toEqual({
      summary: "Creates a book.",
      description: "Creates a book. The shelf must be there.\n\nFails with `already_exists` if the book is there.",
    });
  });

  it("are the name of the method without a comment", () => {
    const document = documentOf([Greeter], { docs: { descriptorSet: new Uint8Array() } });
    expect(operationOf(document, "post /v1/example/echo").summary).toBe("SayHello");
  });

  it("have nothing that ends a doc comment of generated code", () => {
    const document = documentOf([DepotService]);
    expect(JSON.stringify(document)).not.toContain("*/");
    const { summary, parameters } = operationOf(document, "get /v1/shelves/{shelf}/items/{item}");
    expect(summary).toBe("Returns the item shelves/{shelf}/items/{item}.");
    const description = "A part of `name`, which is `shelves/{shelf}/items/{item}`.";
    expect(parameters).toMatchObject([{ description }, { description }]);
  });

  it.each([
    ["Gets `a_b`.", "Gets a_b."],
    ["Gets **a *b*** and `c*d`.", "Gets a b and c*d."],
    ["See [the `guide`](https://a.b/c) or <https://d.e>.", "See the guide (https://a.b/c) or https://d.e."],
    ["Gets shelves/*/x, snake_case and \\*.", "Gets shelves/*/x, snake_case and *."],
  ])("of summaries are plain: %s", (markdown, text) => {
    expect(plainText(markdown)).toBe(text);
  });

  it("mark what is deprecated", () => {
    expect(operationOf(library, "delete /v1/shelves/{shelf}/books/{book}").deprecated).toBe(true);
    expect(schemaOf(library, "manywire.test.describe.v1.Book").properties.isbn10).toMatchObject({ deprecated: true });
  });

  it("are those of the options", () => {
    const security = [{ token: [] }];
    const securitySchemes = { token: { type: "http", scheme: "bearer" } };
    const servers = [{ url: "https://greeter.example/api" }];
    const license = { name: "MIT", identifier: "MIT" };
    const tags = [{ name: "Greeter (REST)", description: "Ours." }];
    const docs = { title: "T", version: "1.2.3", description: "D", license, servers, security, securitySchemes, tags };
    const document = documentOf([Greeter], { docs: { ...docs, operations: ["rest"] } });
    expect(document).toMatchObject({
      openapi: "3.1.1",
      info: { title: "T", version: "1.2.3", description: "D", license },
      ...{ servers, security, tags },
      components: { securitySchemes },
    });
  });

  it("are made from the services where there are no options", () => {
    const { info, servers, security } = library;
    expect({ info, servers, security }).toEqual({
      info: {
        title: "manywire.test.describe.v1.LibraryService",
        version: "0.0.0",
        description: "Lends books.\n\nEvery book is on a shelf. *Shelves* are numbered.",
      },
      servers: [{ url: "." }],
      security: [],
    });
  });
});

describe("paths", () => {
  it("have a parameter for each wildcard, named after what stands before it", () => {
    expect(
      listed(documentOf([RestService], { docs: { operations: ["rest"] } })).filter((line) => /Template/.test(line)),
    ).toEqual([
      "GET /v1/projects/{project}/databases/{database}/documents/{document}/{collection} RestService_Template",
      "GET /v1/files/{file} RestService_Template_2",
      "GET /v1/operations RestService_Template_3",
      "POST /v1/files/{file}:undelete RestService_Template_4",
      "GET /v1/{any}/plain/{any_2} RestService_Template_5",
      "GET / RestService_Template_6",
      "GET /v1:about RestService_Template_7",
    ]);
  });

  it("that differ in names only are one, with the names of the first", () => {
    const item = library.paths["/v1/shelves/{shelf}/books/{book}"];
    expect(Object.keys(item ?? {})).toEqual(["get", "put", "delete"]);
  });
});

describe("routes of one shape with other names of fields", () => {
  const selector = "manywire.test.rest.v1.RestService";
  const rules = [
    { selector: `${selector}.Custom`, get: "/v1/users/{name}" },
    { selector: `${selector}.Query`, patch: "/v1/users/{number}" },
    { selector: `${selector}.Whole`, put: "/v1/users/{node.text}", body: "*" },
    { selector: `${selector}.Field`, post: "/v1/users/{choice_text}", body: "node" },
  ];
  const document = documentOf([RestService], { httpRules: { rules }, docs: { operations: ["rest"] } });
  // Whole is the first method of the service.
  const path = "/v1/users/{node.text}";

  it("have one path, and each operation has a parameter of that name with the type of its own field", () => {
    expect(Object.keys(document.paths).filter((one) => one.startsWith("/v1/users/"))).toEqual([path]);
    const [get, patch, put, post] = ["get", "patch", "put", "post"].map((httpMethod) => {
      const { parameters = [] } = operationOf(document, `${httpMethod} ${path}`);
      return (parameters as Parameter[]).filter((one) => one.in === "path");
    });
    const named = { name: "node.text", in: "path", required: true };
    expect(get).toEqual([
      { ...named, description: "The field `name`. The name.", schema: { type: "string", minLength: 1 } },
    ]);
    expect(patch).toEqual([
      { ...named, description: "The field `number`. A number.", schema: expect.objectContaining({ format: "int64" }) },
    ]);
    expect(put).toEqual([{ ...named, description: "A text.", schema: { type: "string", minLength: 1 } }]);
    expect(post).toMatchObject([{ ...named, description: "The field `choice_text`. A text." }]);
  });

  it("leave their own fields out of query and body, and no others", () => {
    const patch = operationOf(document, `patch ${path}`).parameters as Parameter[];
    const inQuery = patch.filter((one) => one.in === "query").map(({ name }) => name);
    expect(inQuery).not.toContain("number");
    expect(inQuery).toContain("text");
    const schema = bodyOf(document, `put ${path}`);
    expect(schema?.properties).toMatchObject({ text: { type: "string" }, node: { type: "object" } });
    const { node } = (schema?.properties ?? {}) as Record<string, Schema>;
    expect(node?.properties).not.toHaveProperty("text");
  });
});

describe("queries", () => {
  const parameters = (document: typeof library, place: string) =>
    ((operationOf(document, place).parameters ?? []) as Parameter[]).filter((one) => one.in === "query");

  it("have the fields of messages within, but not of a message within itself", () => {
    expect(parameters(library, "get /v1/books").map(({ name, required }) => [name, required === true])).toEqual([
      ["filter.word", true],
      ["filter.states", false],
      ["filter.one", false],
      ["filter.other", false],
      ["readMask", false],
    ]);
  });

  it("may leave the mask of a PATCH to the server, unless it makes none", () => {
    const service = createUpdateService([
      { name: "everything", type: "manywire.test.rest.v1.Everything", isRequired: true },
      { name: "update_mask", type: "google.protobuf.FieldMask", isRequired: true },
    ]);
    const maskOf = (rest: object) => {
      const [mask] = parameters(documentOf([service], { rest }), "patch /v1/update");
      return [mask?.name, mask?.required === true, mask?.description];
    };
    expect(maskOf({})).toEqual(["updateMask", false, "Default: the members of the body."]);
    expect(maskOf({ patchMask: false })).toEqual(["updateMask", true, undefined]);
  });

  it("say what excludes what", () => {
    const [, , one] = parameters(library, "get /v1/books");
    expect(one?.description).toBe("One. Not together with `filter.other`.");
  });

  it("have no field that the path or the body has, nor what excludes it", () => {
    const names = parameters(rest, "delete /v1/query/{choice_number}").map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("choice"))).toEqual([]);
    expect(parameters(rest, "post /v1/whole")).toEqual([]);
    const beside = parameters(rest, "patch /v1/field/shelves/{shelf}/books/{book}").map(({ name }) => name);
    expect(beside.filter((name) => name.startsWith("node"))).toEqual([]);
    expect(beside).toContain("scalars.int32Value");
  });

  it("have names that differ from paths and from system parameters", () => {
    const names = parameters(rest, "get /v1/query").map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("names."))).toEqual([
      "names.constructor",
      "names.toString",
      "names.__proto__",
      "names.$dollar",
      "names.dotted",
    ]);
  });

  it("have masks with names of fields in either spelling", () => {
    const [mask] = parameters(library, "get /v1/books").slice(-1);
    const isMatch = (text: string) => new RegExp(String(mask?.schema?.pattern), "u").test(text);
    expect(["", "a_b", "aB.c,d", "*"].map(isMatch)).toEqual([true, true, true, true]);
    expect(["a b", "a..b", ",", "1"].map(isMatch)).toEqual([false, false, false, false]);
  });

  it("have lists of what has a text, and no maps", () => {
    const byName = new Map(parameters(rest, "get /v1/query").map((one) => [one.name, one.schema]));
    expect(byName.get("words")).toEqual({ type: "array", items: { type: "string" } });
    expect(byName.get("color")).toEqual({ $ref: "#/components/schemas/manywire.test.rest.v1.Color" });
    expect([byName.has("labels"), byName.has("object"), byName.has("nodes")]).toEqual([false, false, false]);
  });
});

describe("operations over Connect", () => {
  const path = "/manywire.test.describe.v1.LibraryService/GetBook";

  it("have typed parameters for GET, whose message is JSON as text", () => {
    const { parameters } = operationOf(library, `get ${path}`);
    const contentSchema = { $ref: "#/components/schemas/manywire.test.describe.v1.GetBookRequest-input" };
    expect(parameters).toMatchObject([
      { name: "connect", required: false, schema: { type: "string", enum: ["v1"] } },
      { name: "encoding", required: true, schema: { type: "string", enum: ["json"] } },
      { name: "message", schema: { type: "string", contentMediaType: "application/json", contentSchema } },
      { name: "Connect-Timeout-Ms", schema: { type: "integer", format: "int64", minimum: 1 } },
    ]);
  });

  it.each(["get", "post"])("may answer 415: %s", (httpMethod) => {
    const { responses } = operationOf(library, `${httpMethod} ${path}`);
    expect(responses["415"]).toMatchObject({ content: { "text/plain": { schema: { type: "string" } } } });
  });
});

describe("bodies", () => {
  const body = (place: string) => operationOf(rest, place).requestBody?.content;
  const reply = (place: string) => (operationOf(rest, place).responses["200"] as { content: object }).content;
  const everything = { $ref: "#/components/schemas/manywire.test.rest.v1.Everything" };

  it("are the message, less what the path has and what would exclude that", () => {
    expect(body("post /v1/whole")).toEqual({ "application/json": { schema: everything } });
    const schema = bodyOf(rest, "post /v1/whole/{choice_text}:choose");
    expect(schema?.properties).toMatchObject({ text: { type: "string" } });
    expect(Object.keys(schema?.properties ?? {}).filter((name) => name.startsWith("choice"))).toEqual([]);
    const rivals = ["choiceNumber", "choiceNode", "choiceWrapped", "choiceMoment", "choiceColor"];
    expect(schema?.not).toEqual({ anyOf: rivals.map((name) => ({ required: [name] })) });
  });

  it("have no nested field that the path has, and still its neighbours", () => {
    const whole = bodyOf(rest, "patch /v1/whole/{node.text}/{node.child.number}");
    const nodeOf = (schema: unknown) => (schema as { properties: Record<string, Schema> }).properties;
    const node = nodeOf(nodeOf(whole).node);
    expect(nodeOf(whole)).toHaveProperty("text");
    expect(Object.keys(node)).toEqual(["number", "child", "mark"]);
    expect(Object.keys(nodeOf(node.child))).toEqual(["text", "child", "mark"]);
    const field = bodyOf(rest, "patch /v1/field/shelves/{shelf}/books/{book}");
    expect(Object.keys(nodeOf(field))).toEqual(["number", "child", "mark"]);
  });

  it("must have what is required within a message of which the path has a part", () => {
    const selector = "manywire.test.describe.v1.LibraryService.CreateBook";
    const requiredIn = (rule: object) => {
      const document = documentOf([LibraryService], { httpRules: { rules: [{ selector, ...rule }] } });
      const isOne = ({ operation }: Place) => operation.operationId === "LibraryService_CreateBook";
      const { httpMethod, path, operation } = listOperations(document).find(isOne) as Place;
      const schema = bodyOf(document, `${httpMethod.toLowerCase()} ${path}`);
      return [operation.requestBody?.required, schema?.required];
    };
    const some = requiredIn({ post: "/v1/{parent=shelves/*}/books/{book.shelf}", body: "*" });
    expect(some).toEqual([true, ["book"]]);
    const all = requiredIn({ post: "/v1/{parent=shelves/*}/books/{book.shelf}/{book.title}", body: "*" });
    expect(all).toEqual([false, undefined]);
    const field = requiredIn({ post: "/v1/{parent=shelves/*}/books/{book.shelf}/{book.title}", body: "book" });
    expect(field).toEqual([false, undefined]);
  });

  it("are a field, and may be null in a reply that has not got it", () => {
    const scalar = { type: "string", format: "int64", example: "1" };
    expect(body("post /v1/field/number")).toEqual({ "application/json": { schema: scalar } });
    expect(reply("post /v1/field/note")).toEqual({
      "application/json": { schema: { anyOf: [{ type: "string" }, { type: "null" }] } },
    });
    expect(reply("post /v1/field/words")).toMatchObject({ "application/json": { schema: { type: "array" } } });
  });

  it("are bytes, for google.api.HttpBody", () => {
    const bytes = { "application/octet-stream": { schema: { type: "string", format: "binary" } } };
    expect([body("post /v1/raw"), reply("post /v1/raw")]).toEqual([bytes, bytes]);
    expect(reply("get /v1/download/{name}")).toEqual(bytes);
  });

  it("of a stream of replies have three types", () => {
    const content = reply("post /v1/server-stream");
    expect(content).toMatchObject({
      "application/json": { schema: { type: "array", items: everything } },
      "application/x-ndjson": { schema: { type: "string", contentSchema: everything } },
      "text/event-stream": { schema: { type: "string", contentSchema: everything } },
    });
    expect(Object.keys(content)).toHaveLength(3);
  });

  it("of a stream tell which of them comes without an Accept header", () => {
    const { description } = operationOf(rest, "post /v1/server-stream").responses["200"] as Response;
    expect(description).toContain("Without it, the form is a JSON array.");
  });

  it("of a stream of values that are no open objects allow the error beside them", () => {
    const rule = {
      selector: "manywire.test.rest.v1.RestService.ServerStream",
      ...{ post: "/v1/texts", body: "*", response_body: "text" },
    };
    const document = documentOf([RestService], { httpRules: { rules: [rule] } });
    const { content } = operationOf(document, "post /v1/texts").responses["200"] as Response;
    expect(content?.["application/json"]?.schema).toMatchObject({
      items: { anyOf: [{ type: "string" }, { required: ["error"] }] },
    });
  });

  it("of a stream of requests have two types, and lines only where both sides stream", () => {
    expect(Object.keys(body("post /v1/client-stream") ?? {})).toEqual(["application/json", "application/x-ndjson"]);
    expect(Object.keys(body("post /v1/bidi-stream") ?? {})).toEqual(["application/x-ndjson"]);
    expect(Object.keys(reply("post /v1/bidi-stream"))).toEqual(["application/x-ndjson"]);
  });

  it("of errors are google.rpc.Status over REST, and Connect's own over Connect", () => {
    const { responses } = operationOf(rest, "post /v1/whole");
    expect(responses.default).toMatchObject({
      content: { "application/json": { schema: { $ref: "#/components/schemas/rest-error" } } },
    });
    expect(schemaOf(rest, "rest-error").required).toEqual(["code", "message", "details"]);
    const connect = operationOf(rest, "post /manywire.test.rest.v1.RestService/Whole");
    expect(connect.responses.default).toMatchObject({
      content: { "application/json": { schema: { $ref: "#/components/schemas/connect-error" } } },
    });
  });

  it("of errors have the shape that the server gives them", () => {
    const google = documentOf([RestService], { rest: { errorShape: "google" } });
    expect(schemaOf(google, "rest-error").required).toEqual(["error"]);
    const own = documentOf([RestService], { rest: { errorShape: () => null } });
    expect(operationOf(own, "post /v1/whole").responses.default).toMatchObject({
      content: { "application/json": { schema: {} } },
    });
  });
});
