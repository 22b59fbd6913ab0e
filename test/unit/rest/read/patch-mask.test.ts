// Masks of PATCH requests. The cases are those of grpc-gateway's runtime/fieldmask_test.go, and those that it leaves open.
import type { JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonWalk } from "../../../../server/rest/read/json-walk.js";
import { maskFieldOf } from "../../../../server/rest/read/patch-mask.js";
import { decodeToJson, refusal, registry } from "../../../support/rest-bindings.js";
import { routesOf } from "../../../support/routing.js";
import { createUpdateService, type UpdateField } from "../../../support/update-service.js";

const message = "manywire.test.rest.v1.Everything";
const mask = "google.protobuf.FieldMask";
const bindingOf = (...[fields, rule]: Parameters<typeof createUpdateService>) =>
  routesOf([createUpdateService(fields, rule)]).bindings[0] as ReturnType<typeof routesOf>["bindings"][number];
const binding = bindingOf();

/** The mask of a request, as JSON writes it. */
function maskOf(body: string, query = "", options = {}): unknown {
  return (decodeToJson(binding, { body, query }, { registry, ...options }) as JsonObject).updateMask;
}

describe("a mask has the members of the body", () => {
  test.each<[reason: string, body: string, paths: string | undefined]>([
    ["no body", "", undefined],
    ["no members", " { } ", undefined],
    [
      "scalars, sorted",
      '{"text":"a","number":1,"flag":false,"data":"AA==","color":"COLOR_RED"}',
      "color,data,flag,number,text",
    ],
    [
      "names of JSON and of the proto",
      '{"wellKnown":{"fieldMask":"a"},"optional_scalars":{"int32_value":1,"boolValue":true}}',
      "optionalScalars.boolValue,optionalScalars.int32Value,wellKnown.fieldMask",
    ],
    ["a name of its own", '{"scalars":{"other name[1]":"a"}}', "scalars.renamedValue"],
    ["a name with an escape", '{"t\\u0065xt":"a","number":2}', "number,text"],
    [
      "members of a message",
      '{"node":{"text":"a","child":{"number":"1"}},"text":"b"}',
      "node.child.number,node.text,text",
    ],
    [
      "four levels",
      '{"node":{"child":{"child":{"text":"a","number":1}}}}',
      "node.child.child.number,node.child.child.text",
    ],
    ["a message without members", '{"node":{ },"scalars":{}}', "node,scalars"],
    ["null", '{"node":null,"text":null,"words":null}', "node,text,words"],
    ["lists", '{"words":["a","]"],"nodes":[{"text":"a"},{"number":1}],"text":"b"}', "nodes,text,words"],
    ["a map", '{"labels":{"a":{"text":"x"},"b":{}}}', "labels"],
    [
      "well-known types",
      '{"moment":"2024-02-29T12:00:00Z","wrapped":1,"object":{"a":{"b":1}},"value":{"c":2}}',
      "moment,object,value,wrapped",
    ],
    ["an Any", '{"trees":{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}}', "trees.any"],
    ["a member of a oneof", '{"choiceNode":{"text":"a"}}', "choiceNode.text"],
    ["unknown members", '{"nothing":{"text":[1,"}"]},"text":"a","node":{"nothing":1}}', "text"],
    ["no known members", '{"nothing":1}', undefined],
    ["brackets and quotes in texts", '{"text":"\\\\\\"}{","note":"]"}', "note,text"],
    ["white space", '\r\n{\t"text" :\n"a" , "node" : { "text" : "b" } }\n', "node.text,text"],
    ["names of JavaScript", '{"__proto__":{"text":"a"},"names":{"constructor":"b"}}', "names.constructor"],
  ])("%s", (_, body, paths) => {
    expect(maskOf(body)).toBe(paths);
  });

  test("whatever the JSON is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1), (value, indent) => {
        const body = JSON.stringify(
          { first: value, text: "a", [JSON.stringify(value)]: value, note: "b" },
          undefined,
          indent,
        );
        expect(maskOf(body)).toBe("note,text");
      }),
    );
  });
});

describe("a mask of the client's own", () => {
  test.each([
    ["updateMask=number", "number"],
    ["update_mask=text,node.text", "text,node.text"],
    ["updateMask=*", "*"],
    // An empty mask says as much as none.
    ["updateMask=", "text"],
  ])("stays: %s", (query, paths) => {
    expect(maskOf('{"text":"a"}', query)).toBe(paths);
  });

  test("is not made where the option is off", () => {
    expect(maskOf('{"text":"a"}', "", { patchMask: false })).toBeUndefined();
  });
});

describe("a mask has the limits of a query", () => {
  test.each([
    ['{"node":{"child":{"child":{"text":"a"}}}}', { queryDepthLimit: 4 }, undefined],
    ['{"node":{"child":{"child":{"text":"a"}}}}', { queryDepthLimit: 3 }, "paths of more than 3 names"],
    ['{"text":"a","node":{"text":"b"}}', { queryParameterLimit: 2 }, undefined],
    ['{"text":"a","note":"b","node":{"text":"c"}}', { queryParameterLimit: 2 }, "more than 2 paths"],
  ])("%s with %o", (body, options, reason) => {
    if (reason === undefined) {
      expect(maskOf(body, "", options)).toBeDefined();
      return;
    }
    const text = `update_mask: expected a mask, because the body has ${reason}`;
    expect(refusal(binding, { body }, options)).toEqual({ message: text, fields: ["update_mask"] });
    expect(maskOf(body, "updateMask=text", options)).toBe("text");
  });
});

describe("a request has such a mask", () => {
  const everything: UpdateField = { name: "everything", type: message };
  const patch = (body: string) => ({ pattern: { case: "patch", value: "/v1/update" } as const, body });
  test.each<[reason: string, fields: UpdateField[], rule: object, found: string | undefined]>([
    ["with one FieldMask", [everything, { name: "mask", type: mask }], patch("everything"), "mask"],
    [
      "with a custom PATCH",
      [everything, { name: "mask", type: mask }],
      { pattern: { case: "custom", value: { kind: "PATCH", path: "/a" } }, body: "everything" },
      "mask",
    ],
    [
      "not with two",
      [everything, { name: "a", type: mask }, { name: "b", type: mask }],
      patch("everything"),
      undefined,
    ],
    ["not with a list of them", [everything, { name: "a", type: mask, isList: true }], patch("everything"), undefined],
    ["not where all is the body", [everything, { name: "a", type: mask }], patch("*"), undefined],
    ["not without a body", [everything, { name: "a", type: mask }], patch(""), undefined],
    ["not where it is the body", [{ name: "a", type: mask }], patch("a"), undefined],
    ["not where the body is a scalar", [{ name: "a", type: mask }, { name: "b" }], patch("b"), undefined],
    [
      "not where the body is bytes",
      [
        { name: "a", type: mask },
        { name: "b", type: "google.protobuf.Struct" },
      ],
      patch("b"),
      undefined,
    ],
    [
      "not beside the body in a oneof",
      [
        { ...everything, isInOneof: true },
        { name: "a", type: mask, isInOneof: true },
      ],
      patch("everything"),
      undefined,
    ],
    [
      "not with PUT",
      [everything, { name: "a", type: mask }],
      { ...patch("everything"), pattern: { case: "put", value: "/a" } },
      undefined,
    ],
    [
      "not with any method",
      [everything, { name: "a", type: mask }],
      { pattern: { case: "custom", value: { kind: "*", path: "/a" } }, body: "everything" },
      undefined,
    ],
  ])("%s", (_, fields, rule, found) => {
    expect(maskFieldOf(bindingOf(fields, rule))?.name).toBe(found);
  });
});

test("walking through a body reads each byte a few times, however many members there are", () => {
  const body = `{${Array.from({ length: 10_000 }, (_, index) => `"f${index}":[{}]`).join()}}`;
  let reads = 0;
  const bytes = new Proxy(new TextEncoder().encode(body), {
    get(target, key) {
      if (typeof key === "string" && /^[0-9]+$/.test(key)) reads++;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  let members = 0;
  new JsonWalk(bytes).eachMember(() => {
    members++;
    return false;
  });
  expect(members).toBe(10_000);
  expect(reads).toBeLessThan(4 * body.length);
});
