import type { Message } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { browserJson } from "../../../client/browser/json.js";
import { ownJson } from "../../../server/codec/json.js";
import { createRequestDecoder, type ReceivedBody } from "../../../server/rest/read/request.js";
import { createResponseDecoder } from "../../../server/rest/response.js";
import type { Binding } from "../../../server/rest/route/binding.js";
import type { RequestBody } from "../../../server/rest/write/body.js";
import type { EncodedRequest } from "../../../server/rest/write/request.js";
import { RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { answerable, bytesOf, isEmptyFile, sendable, tryAnswer, tryEncode } from "../../support/arbitrary-exchange.js";
import { bindings, registry } from "../../support/rest-bindings.js";
import { routesOf } from "../../support/routing.js";

const numRuns = Math.ceil(Number(process.env.REST_CASES ?? 2_000) / bindings.length);
const { routes } = routesOf([RestService]);

/** A body as it arrives. */
function sent(body: RequestBody): ReceivedBody {
  if (body.kind === "json") return { contentType: "application/json", body: new TextEncoder().encode(body.text) };
  return body.kind === "bytes" ? { contentType: body.contentType, body: body.data } : { body: new Uint8Array() };
}

/** What a server makes of a request: first the route, then the message. */
function receive({ httpMethod, path, query, body }: EncodedRequest): { binding: Binding; message: Message } {
  const found = routes.find(httpMethod, path);
  if (found.kind !== "found") throw new Error(`${httpMethod} ${path}: ${found.kind}`);
  const options = { registry, ignoreUnknownFields: false };
  const message = createRequestDecoder(
    found.binding,
    options,
  )({
    captures: found.captures,
    query,
    ...sent(body),
  });
  return { binding: found.binding, message };
}

/** A template with a wildcard that no field fills can be served, but not called. */
const uncallable = `${RestService.typeName}.Template: google.api.http get "/v1/*/plain/**"`;

const codecs = [
  ["our JSON", ownJson],
  ["the JSON of browsers", browserJson],
] as const;
const labelled = codecs.flatMap(([name, codec]) =>
  bindings.map((binding) => [binding.label, name, codec, binding] as const),
);

describe("what is sent by a route is found by that route, and is the same message", () => {
  test.each(labelled)("%s, with %s", (label, _, codec, binding) => {
    const { input } = binding.method;
    let count = 0;
    fc.assert(
      fc.property(sendable(binding), (message) => {
        const before = bytesOf(input, message);
        const request = tryEncode(codec, binding, message);
        expect(bytesOf(input, message)).toBe(before);
        if (request === undefined) return;
        count += 1;
        const received = receive(request);
        expect(received.binding.label).toBe(label);
        expect(bytesOf(input, received.message)).toBe(before);
      }),
      { numRuns, endOnFailure: true },
    );
    expect(count > 0).toBe(label !== uncallable);
  });
});

describe("a response of a route decodes to the same message", () => {
  test.each(labelled)("%s, with %s", (_, __, codec, binding) => {
    const { output } = binding.method;
    fc.assert(
      fc.property(answerable(binding), (message) => {
        const body = tryAnswer(binding, message);
        if (body === undefined) return;
        const read = createResponseDecoder(codec, binding, { registry, ignoreUnknownFields: false })(sent(body));
        expect(isEmptyFile(binding, message) || bytesOf(output, read) === bytesOf(output, message)).toBe(true);
      }),
      { numRuns, endOnFailure: true },
    );
  });
});
