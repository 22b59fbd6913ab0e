// API keys: who has one may call, over every protocol.
import { createHash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { anyOf, apiKeys, principal } from "../../server/interceptors/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { failureOf } from "../support/outcome.js";
import { calls, describeGuarded, refusalOf, startGuarded } from "./guarded.js";
import { fronts } from "./proxy.js";

const service = TestService.typeName;
const robot = "robot-0123456789abcdef";
const renewed = "robot-fedcba9876543210";
const person = "person-0123456789abcdef";

const options = {
  keys: { robot: [robot, `sha256:${createHash("sha256").update(renewed).digest("hex")}`], person },
  rules: [
    { methods: `${service}/Get`, public: true },
    { methods: `${service}/Unary`, names: ["robot"] },
  ],
};

const sent = (key: string) => ({ headers: { "x-api-key": key } });
let texts = 0;

describeGuarded(
  () => [apiKeys(options)],
  (open, guarded) => {
    test.each(Object.entries(calls))("a %s call needs a key", async (_, call) => {
      using opened = open();
      for (const key of [robot, renewed]) await call(opened.client, "let in", sent(key));
      const missing = [Code.Unauthenticated, "API key missing: expected the header x-api-key", "ApiKey"];
      const invalid = [Code.Unauthenticated, "invalid API key", "ApiKey"];
      const text = `kept out ${texts++}`;
      expect(refusalOf(await failureOf(call(opened.client, text)))).toEqual(missing);
      expect(refusalOf(await failureOf(call(opened.client, text, sent(""))))).toEqual(missing);
      for (const key of [robot.slice(0, -1), `${robot}0`, robot.toUpperCase(), `${robot}, ${robot}`]) {
        expect(refusalOf(await failureOf(call(opened.client, text, sent(key))))).toEqual(invalid);
      }
      expect(guarded().target.seen.has(text)).toBe(false);
    });

    test("rules name the keys of a method, or make it public", async () => {
      using opened = open();
      const { client } = opened;
      const text = `kept out ${texts++}`;
      const refusal = await failureOf(client.unary({ text }, sent(person)));
      expect(refusalOf(refusal)).toEqual([Code.PermissionDenied, "this API key may not call this method", null]);
      await calls["server-streaming"]?.(client, "let in", sent(person));
      expect(guarded().target.seen.has(text)).toBe(false);
    });
  },
);

test("keys are replaced for calls that begin afterwards", async () => {
  const interceptor = apiKeys(options);
  await using guarded = await startGuarded("own", [interceptor]);
  const statuses = async () => {
    const send = (key: string) =>
      request(guarded.url, {
        path: `/${service}/Unary`,
        headers: { "content-type": "application/json", "x-api-key": key },
        body: "{}",
      });
    return [(await send(robot)).status, (await send(renewed)).status];
  };
  expect(await statuses()).toEqual([200, 200]);
  interceptor.replaceKeys({ robot: renewed });
  expect(await statuses()).toEqual([401, 200]);
  const wrong: [keys: typeof options.keys | object, message: string][] = [
    [{}, "apiKeys: keys: expected keys, found none"],
    [{ robot: "short" }, 'apiKeys: keys["robot"]: expected a key of 16 characters at least, found 5'],
    [{ person }, 'apiKeys: rules[1].names: expected names of keys, found "robot"'],
  ];
  for (const [keys, message] of wrong) {
    expect(() => interceptor.replaceKeys(keys as typeof options.keys)).toThrow(new TypeError(message));
    expect(await statuses()).toEqual([401, 200]);
  }
});

test("a rule for no method stops the start, and of a server with upstreams it is a warning", async () => {
  const rules = [{ methods: `${service}/Unery`, public: true }];
  const message = `apiKeys: rules: "${service}/Unery" matches no method: did you mean "${service}/Unary"?`;
  const interceptors = [anyOf(apiKeys({ keys: { robot }, rules }))];
  await expect(startGuarded("own", interceptors)).rejects.toThrow(new TypeError(message));
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning);
  await using _ = await startGuarded("forwarded", interceptors, { onWarning });
  expect(warnings).toEqual([message]);
});

test("a public method needs no key, and reads none", async () => {
  await using guarded = await startGuarded("own", [apiKeys(options)]);
  for (const headers of [{}, { "x-api-key": "wrong" }]) {
    const { status } = await request(guarded.url, {
      path: `/${service}/Get`,
      headers: { "content-type": "application/json", ...headers },
      body: "{}",
    });
    expect(status).toBe(200);
  }
});

test.each([
  ["Bearer", 200],
  ["bearer", 200],
  ["Basic", 401],
  ["", 401],
])("a key in authorization follows Bearer: %j gets status %i", async (scheme, status) => {
  await using guarded = await startGuarded("own", [apiKeys({ keys: { robot }, header: "Authorization" })]);
  const headers = { "content-type": "application/json", authorization: `${scheme} ${robot}`.trim() };
  const answer = await request(guarded.url, { path: "/rest/Unary", headers, body: "{}" });
  expect(answer.status).toBe(status);
});

describe.each(Object.entries(fronts))("%s", (_, { unary, httpVersion, wire }) => {
  test("the challenge of a refusal is a header, or with gRPC-Web in the trailers of the body", async () => {
    await using guarded = await startGuarded("own", [apiKeys({ keys: { robot } })], {
      httpRules: { rules: [{ selector: `${service}.Unary`, post: "/v1/unary", body: "*" }] },
    });
    const { status, headers } = await request(guarded.url, { ...unary({ text: "a" }), httpVersion });
    expect(headers["www-authenticate"]).toBe(wire.startsWith("grpc-web") ? undefined : "ApiKey");
    expect(status).toBe(wire === "connect" || wire === "rest" ? 401 : 200);
  });
});

test("a handler sees the name of the key", async () => {
  await using guarded = await startGuarded("own", [apiKeys({ keys: new Map([["robot", robot]]) })], {
    implementation: { unary: (_, { values }) => ({ text: JSON.stringify(values.get(principal)) }) },
  });
  const headers = { "content-type": "application/json", "x-api-key": robot };
  const { text } = await request(guarded.url, { path: "/rest/Unary", headers, body: "{}" });
  expect(JSON.parse(JSON.parse(text).text)).toEqual({ kind: "api_key", name: "robot" });
});
