import { type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownJson } from "../../../server/codec/json.js";
import { type PageRequest, toRestRequest } from "../../../server/pages/browser/rest-request.js";
import { describeRoute } from "../../../server/pages/method-info.js";
import { createRequestDecoder } from "../../../server/rest/read/request.js";
import type { Binding } from "../../../server/rest/route/binding.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { sendable, tryEncode } from "../../support/arbitrary-exchange.js";
import { bindingOf, bindings, registry } from "../../support/rest-bindings.js";
import { routesOf } from "../../support/routing.js";
import { splitTarget } from "../../support/target.js";

const { routes } = routesOf([RestService]);

/** What a server makes of a request: first the route, then the message. */
function receive({ httpMethod, target, body = "", contentType }: PageRequest): { binding: Binding; message: Message } {
  const { path, query = "" } = splitTarget(target);
  const found = routes.find(httpMethod, path);
  if (found.kind !== "found") throw new Error(`${httpMethod} ${path}: ${found.kind}`);
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const decode = createRequestDecoder(found.binding, { registry, ignoreUnknownFields: false });
  return { binding: found.binding, message: decode({ captures: found.captures, query, contentType, body: bytes }) };
}

/** Without empty messages: a query cannot say that they are there. */
function prune(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(prune);
  const entries = Object.entries(value).map(([name, inner]) => [name, prune(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => JSON.stringify(inner) !== "{}"));
}

/** No field fills the wildcard of the one that is left out. */
const labelled = bindings
  .map((binding) => [binding.label, binding] as const)
  .filter(([label]) => !label.includes("/v1/*/plain/**"));

describe("a request that the page makes of JSON is read as the message of that JSON", () => {
  it.each(labelled)("%s", (label, binding) => {
    const { input } = binding.method;
    const route = describeRoute(binding);
    fc.assert(
      fc.property(sendable(binding), (message) => {
        const json = toJson(input, message, { registry });
        // A JSON name with a dot in it is a path in a query, and without descriptors no other is known.
        fc.pre(tryEncode(ownJson, binding, message) !== undefined && !JSON.stringify(json).includes('"names":'));
        const typed = toJson(input, message, { registry, alwaysEmitImplicit: true });
        const received = receive(toRestRequest(route, [typed]));
        expect(received.binding.label).toBe(label);
        expect(prune(toJson(input, received.message, { registry }))).toEqual(prune(json));
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });
});

describe("the request that the page proposes is taken by its route", () => {
  it.each(labelled)("%s", (label, binding) => {
    const route = describeRoute(binding);
    expect(receive(toRestRequest(route, [route.sample])).binding.label).toBe(label);
  });
});

describe("a path", () => {
  const route = describeRoute(bindingOf('Whole: google.api.http put "/v1/whole/{text}"'));

  it.each<[JsonValue]>([[{}], [{ text: "" }], [{ text: null }], [[]], ["text"]])("is not made of %j", (message) => {
    expect(() => toRestRequest(route, [message])).toThrow("text: the path needs a value");
  });

  it("may have the names of the proto instead of those of JSON", () => {
    const chosen = describeRoute(bindingOf('Whole: google.api.http post "/v1/whole/{choice_text}:choose"'));
    const messages = [{ choice_text: "a" }, { choiceText: "a" }];
    const targets = messages.map((message) => toRestRequest(chosen, [message]).target);
    expect(targets).toEqual(["/v1/whole/a:choose", "/v1/whole/a:choose"]);
  });
});

describe("several messages", () => {
  const stream = describeRoute(bindingOf('ClientStream: google.api.http post "/v1/client-stream"'));

  it.each<[JsonValue[], string]>([
    [[], ""],
    [[{ text: "a" }], '{"text":"a"}\n'],
    [[{ text: "a" }, {}], '{"text":"a"}\n{}\n'],
  ])("%j are lines of JSON", (messages, body) => {
    const request = toRestRequest(stream, messages, true);
    expect(request).toMatchObject({ target: "/v1/client-stream", body, contentType: "application/x-ndjson" });
  });
});
