import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openHttp2, type RawRequest } from "../../support/http.js";
import { json, send, startRestServer } from "../../support/rest-service.js";

const seed = 20_261_122;
const numRuns = Number(process.env.REST_HTTP_CASES ?? 400);

/** Parts of paths that the test service has, and others. */
const piece = fc.constantFrom(
  ..."v1 whole field query path projects p databases documents files operations custom any raw file server-stream client-stream download plain".split(
    " ",
  ),
  ...[
    "",
    ".",
    "..",
    "%2F",
    "%2e%2e",
    "%",
    "%zz",
    "%00",
    "%ff",
    "a:b",
    ":choose",
    "__proto__",
    "constructor",
    "*",
    "**",
    "{x}",
    "shelves/1/books/2",
    "\\",
    "~",
    "é",
  ],
);
const name = fc.constantFrom(
  "text",
  "number",
  "flag",
  "node.number",
  "node.child.child.text",
  "words",
  "__proto__",
  "constructor.prototype",
  "names.__proto__",
  "choiceText",
  "choiceNumber",
  "color",
  "moment",
  "object",
  "labels.a",
  "$alt",
  "",
  ".",
  "a.b",
  "scalars.doubleValue",
  "lists.masks",
);
const value = fc.constantFrom(
  "1",
  "-1",
  "true",
  "a b",
  "%41",
  "%",
  "1e400",
  "NaN",
  "9223372036854775808",
  "COLOR_RED",
  "2020-01-01T00:00:00Z",
  "",
  "__proto__",
  "+",
  "a,b",
);
const query = fc
  .array(fc.tuple(name, value), { maxLength: 4 })
  .map((pairs) => pairs.map((pair) => pair.join("=")).join("&"));
const target = fc.tuple(fc.array(piece, { maxLength: 6 }), query).map(([path, rest]) => {
  const text = `/${path.join("/")}${rest === "" ? "" : `?${rest}`}`;
  // What no client can put in a request line.
  return text.replace(/[^!-~]/g, "%C3%A9");
});
const route = fc.constantFrom(
  "/v1/whole",
  "/v1/field/words",
  "/v1/field/nodes",
  "/v1/field/labels",
  "/v1/field/object",
  "/v1/field/value",
  "/v1/client-stream",
  "/v1/server-stream",
  "/v1/whole/a",
  "/v1/file",
  "/v1/raw",
);
const body = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'{}[]",:\\truefalsn0189.-e+ \n') }),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"text":1}',
    '{"number":"x"}',
    '{"labels":{"__proto__":{}}}',
    '{"object":{"__proto__":{"polluted":1}}}',
    "[".repeat(50_000),
    `{"value":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    '{"text":"\\ud800"}',
  ),
);
const headers = fc.record(
  {
    "content-type": fc.constantFrom(
      "application/json",
      "application/x-ndjson",
      "text/plain",
      "application/json;charset=utf-7",
      "",
    ),
    accept: fc.constantFrom("text/event-stream", "*/*", "application/jsonl"),
    "accept-encoding": fc.constantFrom("gzip", "br", "*"),
    "content-encoding": fc.constantFrom("gzip", "zstd", "identity"),
    "x-server-timeout": fc.constantFrom("1", "x", "0.001"),
    te: fc.constant("trailers"),
  },
  { requiredKeys: [] },
);
const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE", "ODD");

const request: fc.Arbitrary<RawRequest> = fc.oneof(
  fc.record({ method, path: target, headers }),
  fc.record({ method: fc.constantFrom("POST", "PUT", "PATCH"), path: fc.oneof(route, target), headers, body }),
);

test(`random requests get a status below 500, and other clients are served (seed ${seed})`, async () => {
  const server = await startRestServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const neighbour = await openHttp2(server.url);
  onTestFinished(() => neighbour[Symbol.asyncDispose]());
  await fc.assert(
    fc.asyncProperty(request, fc.constantFrom("1.1", "2") as fc.Arbitrary<"1.1" | "2">, async (one, httpVersion) => {
      const answer = await send(server.url, { httpVersion, ...one });
      // A deadline is the client's own doing, and what a method is not made for, too.
      const isOwn = answer.status === 504 && one.headers?.["x-server-timeout"] === "0.001";
      expect(isOwn ? 499 : answer.status).toBeLessThan(500);
      const near = await neighbour.request({ method: "GET", path: "/v1/query?text=n" });
      expect(json(near)).toEqual({ text: "n" });
    }),
    { seed, numRuns },
  );
  expect("polluted" in {}).toBe(false);
});
