import { type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RestRequest, toRestRequest } from "../../../server/describe/page/browser/rest-request.js";
import { describeRoute } from "../../../server/describe/page/method-info.js";
import type { Binding } from "../../../server/rest/binding.js";
import { createRequestDecoder } from "../../../server/rest/decode.js";
import { createRouting } from "../../../server/rest/routing.js";
import { parseTarget } from "../../../server/rest/target.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { sendable, tryEncode } from "../../rest/exchanged.js";
import { bindings, registry } from "../../rest/support.js";

const { routes } = createRouting([RestService]);

/** What a server makes of a request: first the route, then the message. */
function receive({ httpMethod, target, body = "", contentType }: RestRequest): { binding: Binding; message: Message } {
  const { path, query } = parseTarget(target);
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
        // A JSON name with a dot in it is a path in a query, and without descriptors nobody knows another.
        fc.pre(tryEncode(binding, message) !== undefined && !JSON.stringify(json).includes('"names":'));
        const typed = toJson(input, message, { registry, alwaysEmitImplicit: true });
        const received = receive(toRestRequest(route, [typed]));
        expect(received.binding.label).toBe(label);
        expect(prune(toJson(input, received.message, { registry }))).toEqual(prune(json));
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });
});
