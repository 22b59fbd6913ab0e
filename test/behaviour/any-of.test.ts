// Several ways of authentication, one of which is enough.
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyOf, apiKeys, jwt } from "../../server/interceptors/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { audience, Issuer, issuerName } from "../support/issuer.js";
import { failureOf } from "../support/outcome.js";
import { calls, describeGuarded, refusalOf, startGuarded } from "./guarded.js";

const service = TestService.typeName;
const robot = "robot-0123456789abcdef";
let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const either = async () =>
  anyOf(
    await jwt({
      ...{ issuer: issuerName, audience, jwks: issuer.url },
      rules: [
        { methods: `${service}/Get`, public: true },
        { methods: `${service}/ClientStream`, scopes: ["write"] },
      ],
    }),
    apiKeys({ keys: { robot } }),
  );

describeGuarded(
  async () => [await either()],
  (open) => {
    test.each(Object.entries(calls))("a token or a key is enough for a %s call", async (_, call) => {
      using opened = open();
      const token = { authorization: `Bearer ${await issuer.sign({ scope: "write" })}` };
      const key = { "x-api-key": robot };
      for (const headers of [
        token,
        key,
        { ...token, "x-api-key": "wrong" },
        { authorization: "Bearer wrong", ...key },
      ]) {
        await call(opened.client, "let in", { headers });
      }
      const challenge = `Bearer realm="${audience}", ApiKey`;
      const invalid = 'Bearer error="invalid_token", error_description="malformed token", ApiKey';
      for (const [headers, message, challenges] of [
        [{}, "bearer token missing", challenge],
        [{ "x-api-key": "wrong" }, "invalid API key", challenge],
        [{ authorization: "Bearer wrong" }, "malformed token", invalid],
      ] as const) {
        const error = await failureOf(call(opened.client, "kept out", { headers }));
        expect(refusalOf(error)).toEqual([Code.Unauthenticated, message, challenges]);
      }
    });
  },
);

test("a valid token without the scope is not followed by another way", async () => {
  await using guarded = await startGuarded("own", [await either()]);
  const { status } = await request(guarded.url, {
    path: "/rest/ClientStream",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${await issuer.sign()}`,
      "x-api-key": robot,
    },
    body: "[{}]",
  });
  expect(status).toBe(403);
});

test("a method that is public for one of them is public", async () => {
  await using guarded = await startGuarded("own", [await either()]);
  const headers = { "content-type": "application/json" };
  expect((await request(guarded.url, { path: `/${service}/Get`, headers, body: "{}" })).status).toBe(200);
});

test("an unauthenticated error of the handler is the handler's", async () => {
  await using guarded = await startGuarded("own", [await either()]);
  const { text } = await request(guarded.url, {
    path: "/rest/Unary",
    headers: { "content-type": "application/json", "x-api-key": robot },
    body: JSON.stringify({ failure: { code: Code.Unauthenticated, message: "of the handler" } }),
  });
  expect(JSON.parse(text).message).toBe("of the handler");
});

test("of no interceptors nothing is made", () => {
  expect(() => anyOf()).toThrow(new TypeError("anyOf: expected interceptors, found none"));
});
