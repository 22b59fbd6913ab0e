// JSON Web Tokens: who has a valid one may call, over every protocol.
import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type JwtOptions, jwt, jwtClaims, principal } from "../../server/interceptors/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { request } from "../support/http.js";
import { audience, createSigningKey, Issuer, issuerName, validClaims } from "../support/issuer.js";
import { failureOf } from "../support/outcome.js";
import { calls, describeGuarded, type Guarded, refusalOf, startGuarded } from "./guarded.js";

const service = TestService.typeName;
let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const withKeys = (options: Partial<JwtOptions> = {}) =>
  jwt({ issuer: issuerName, audience, jwks: issuer.url, ...options });
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const invalid = (message: string) => [
  Code.Unauthenticated,
  message,
  `Bearer error="invalid_token", error_description="${message}"`,
];
let texts = 0;

const rules = [
  { methods: `${service}/Get`, public: true },
  { methods: `${service}/ServerStream`, scopes: ["read", "list"] },
  { methods: `${service}/ClientStream`, claims: { role: ["admin", "writer"] } },
];

const secondsFromNow = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token and what is wrong with it. */
const invalidTokens: readonly [message: string, name: string, sign: () => Promise<string> | string][] = [
  ["token expired", "expired", () => issuer.sign({ exp: secondsFromNow(-10) })],
  ["token not valid yet", "not yet valid", () => issuer.sign({ nbf: secondsFromNow(60) })],
  ["token with an unexpected aud", "for another audience", () => issuer.sign({ aud: "https://other.test" })],
  ["token without aud", "without audience", () => issuer.sign({ aud: undefined })],
  ["token with an unexpected iss", "of another issuer", () => issuer.sign({ iss: "https://other.test" })],
  ["token without exp", "that never expires", () => issuer.sign({ exp: undefined })],
  ["token with an unexpected exp", "with an exp that is no number", () => issuer.sign({ exp: "soon" })],
  [
    "token signed with an algorithm that is not accepted",
    "of alg none",
    () => new UnsecuredJWT(validClaims()).encode(),
  ],
  ["token signed with an algorithm that is not accepted", "signed with the public key as a secret", signWithPublicKey],
  ["token has an invalid signature", "tampered with", async () => tamper(await issuer.sign())],
  [
    "token signed with an unknown key",
    "of an unknown key",
    async () => issuer.sign({}, { key: await createSigningKey("unknown") }),
  ],
  [
    "token has an invalid signature",
    "of another key with the kid of the issuer's",
    async () => issuer.sign({}, { key: await createSigningKey("first") }),
  ],
  ["malformed token", "that is none", () => "nonsense"],
  ["malformed token", "of two parts", async () => (await issuer.sign()).split(".").slice(0, 2).join(".")],
  ["malformed token", "with a header that is no JSON", async () => (await issuer.sign()).replace(/^[^.]*/, "e30x")],
  ["malformed token", "with a critical header", withCriticalHeader],
  ["malformed token", "of 8,000 characters", () => "a.".repeat(4000).slice(0, -1)],
];

async function signWithPublicKey(): Promise<string> {
  const head = `${base64({ alg: "HS256", kid: issuer.key.kid })}.${base64(validClaims())}`;
  const secret = JSON.stringify(issuer.key.jwk);
  return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
}

async function withCriticalHeader(): Promise<string> {
  const head = base64({ alg: "ES256", kid: issuer.key.kid, crit: ["x"], x: 1 });
  return (await issuer.sign()).replace(/^[^.]*/, head);
}

/** Gives the token another subject. */
function tamper(token: string): string {
  const [head, , signature] = token.split(".");
  return [head, base64({ ...validClaims(), sub: "mallory" }), signature].join(".");
}

describeGuarded(
  async () => [await withKeys({ rules })],
  (open, guarded) => {
    test.each(Object.entries(calls))("a %s call needs a token", async (_, call) => {
      using opened = open();
      const token = await issuer.sign({ scope: "write list read", role: "admin" });
      for (let round = 0; round < 2; round++) await call(opened.client, "let in", bearer(token));
      const text = `kept out ${texts++}`;
      const missing = [Code.Unauthenticated, "bearer token missing", `Bearer realm="${audience}"`];
      expect(refusalOf(await failureOf(call(opened.client, text)))).toEqual(missing);
      const basic = { headers: { authorization: "Basic YTpi" } };
      expect(refusalOf(await failureOf(call(opened.client, text, basic)))).toEqual(missing);
      const malformed = "malformed authorization header";
      for (const headers of [{ authorization: "Bearer" }, { authorization: `Bearer ${token}, Bearer ${token}` }]) {
        expect(refusalOf(await failureOf(call(opened.client, text, { headers })))).toEqual([
          Code.Unauthenticated,
          malformed,
          `Bearer error="invalid_request", error_description="${malformed}"`,
        ]);
      }
      const expired = await issuer.sign({ exp: secondsFromNow(-10) });
      expect(refusalOf(await failureOf(call(opened.client, text, bearer(expired))))).toEqual(invalid("token expired"));
      expect(guarded().target.seen.has(text)).toBe(false);
    });

    test("a method needs the scopes and claims of its rule", async () => {
      using opened = open();
      const text = `kept out ${texts++}`;
      const stream = calls["server-streaming"] ?? expect.fail();
      const scope = 'Bearer error="insufficient_scope", error_description="token lacks a scope for this method"';
      const few = bearer(await issuer.sign({ scope: "read" }));
      expect(refusalOf(await failureOf(stream(opened.client, text, few)))).toEqual([
        Code.PermissionDenied,
        "token lacks a scope for this method",
        `${scope}, scope="read list"`,
      ]);
      const send = calls["client-streaming"] ?? expect.fail();
      const reader = bearer(await issuer.sign({ role: "reader" }));
      expect(refusalOf(await failureOf(send(opened.client, text, reader)))).toEqual([
        Code.PermissionDenied,
        "token lacks a claim for this method",
        'Bearer error="insufficient_scope", error_description="token lacks a claim for this method"',
      ]);
      expect(guarded().target.seen.has(text)).toBe(false);
    });
  },
);

describe("a server", () => {
  let guarded: Guarded;
  beforeAll(async () => {
    guarded = await startGuarded("own", [await withKeys({ rules })], {
      implementation: {
        unary: (_, { values }) => ({ text: JSON.stringify([values.get(principal), values.get(jwtClaims)]) }),
      },
    });
  });
  afterAll(() => guarded[Symbol.asyncDispose]());

  const post = (path: string, headers = {}) =>
    request(guarded.url, { path, headers: { "content-type": "application/json", ...headers }, body: "{}" });

  test.each(invalidTokens)("says %s of a token %s", async (message, _, sign) => {
    const { status, headers, text } = await post("/rest/Unary", bearer(await sign()).headers);
    expect([status, JSON.parse(text).message]).toEqual([401, message]);
    expect(headers["www-authenticate"]).toBe(invalid(message)[2]);
  });

  test("serves a public method without a token, and reads none", async () => {
    for (const headers of [{}, bearer("nonsense").headers]) {
      expect((await post(`/${service}/Get`, headers)).status).toBe(200);
    }
  });

  test("shows the claims to its handlers", async () => {
    const claims = { ...validClaims(), groups: ["a", { b: "c" }] };
    const token = await issuer.sign(claims);
    for (let round = 0; round < 2; round++) {
      const { text } = await post("/rest/Unary", bearer(token).headers);
      expect(JSON.parse(JSON.parse(text).text)).toEqual([{ kind: "jwt", name: "alice", claims }, claims]);
    }
  });

  test.each(["bearer", "BEARER"])("takes the scheme %s", async (scheme) => {
    const { status } = await post("/rest/Unary", { authorization: `${scheme}  ${await issuer.sign()}` });
    expect(status).toBe(200);
  });

  test("takes no second authorization header for the first", async () => {
    const token = `Bearer ${await issuer.sign()}`;
    // Node keeps the first one of HTTP/1.1. Those of HTTP/2 are joined, and refused.
    const answer = await post("/rest/Unary", { authorization: ["Bearer nonsense", token] });
    expect(answer.status).toBe(401);
  });
});

describe.each<
  [name: string, options: Partial<JwtOptions>, claims: Record<string, unknown>, header: object, ok: boolean]
>([
  ["one of several issuers", { issuer: ["https://a.test", issuerName] }, {}, {}, true],
  ["one of several audiences", { audience: ["https://a.test", audience] }, {}, {}, true],
  ["a list of audiences with the expected one", {}, { aud: ["https://a.test", audience] }, {}, true],
  ["another algorithm than those of the options", { algorithms: ["RS256"] }, {}, {}, false],
  ["the expected type", { typ: "at+jwt" }, {}, { typ: "at+jwt" }, true],
  ["another type", { typ: "at+jwt" }, {}, {}, false],
  ["an exp within the tolerance", { clockToleranceSeconds: 600 }, { exp: secondsFromNow(-10) }, {}, true],
  ["an exp without a tolerance", { clockToleranceSeconds: 0 }, { exp: secondsFromNow(-2) }, {}, false],
  ["no kid, where there is one key", {}, {}, { kid: undefined }, true],
])("a token with %s", (_, options, claims, header, isLetIn) => {
  test(isLetIn ? "is let in" : "is not let in", async () => {
    await using guarded = await startGuarded("own", [await withKeys(options)]);
    const { status } = await call(guarded, await issuer.sign(claims, { header: { ...header } }));
    expect(status).toBe(isLetIn ? 200 : 401);
  });
});

const call = (guarded: Guarded, token: string) =>
  request(guarded.url, {
    path: "/rest/Unary",
    headers: { "content-type": "application/json", ...bearer(token).headers },
    body: "{}",
  });

describe.each<[requirements: object, claims: Record<string, unknown>, isLetIn: boolean]>([
  [{ scopes: ["a"] }, { scope: "a" }, true],
  [{ scopes: ["a", "b"] }, { scp: ["b", "a"] }, true],
  [{ scopes: ["a"] }, { scp: "b a" }, true],
  [{ scopes: ["a"] }, { scope: "ab" }, false],
  [{ scopes: ["a"] }, { scope: { a: 1 } }, false],
  [{ claims: { email_verified: true } }, { email_verified: true }, true],
  [{ claims: { email_verified: true } }, { email_verified: "true" }, false],
  [{ claims: { "realm_access.roles": "admin" } }, { realm_access: { roles: ["user", "admin"] } }, true],
  [{ claims: { "https://a.test/role": "admin" } }, { "https://a.test/role": "admin" }, true],
  [{ claims: { constructor: "admin" } }, {}, false],
  [{ claims: { a: 1, b: [2, 3] } }, { a: 1, b: 3 }, true],
  [{ claims: { a: 1, b: [2, 3] } }, { a: 1, b: 4 }, false],
])("a method that needs %j", (requirements, claims, isLetIn) => {
  test(`${isLetIn ? "is" : "is not"} open to a token with ${JSON.stringify(claims)}`, async () => {
    await using guarded = await startGuarded("own", [await withKeys({ rules: [{ methods: "*", ...requirements }] })]);
    expect((await call(guarded, await issuer.sign(claims))).status).toBe(isLetIn ? 200 : 403);
  });
});

test.each(["RS256", "PS256", "ES384", "ES512", "EdDSA"])("tokens of %s are verified", async (alg) => {
  await using issuer = await Issuer.start(await createSigningKey("a", alg));
  await using guarded = await startGuarded("own", [await withKeys({ jwks: issuer.url })]);
  expect((await call(guarded, await issuer.sign())).status).toBe(200);
  expect((await call(guarded, tamper(await issuer.sign()))).status).toBe(401);
});

test("a token without kid is verified with each key that it may be of", async () => {
  const keys = [await createSigningKey("a"), await createSigningKey("b")];
  await using guarded = await startGuarded("own", [
    await withKeys({ jwks: { keys: keys.map(({ jwk }) => ({ ...jwk, kty: "EC" })) } }),
  ]);
  for (const key of keys) {
    expect((await call(guarded, await issuer.sign({}, { key, header: { kid: undefined } }))).status).toBe(200);
  }
  const other = { key: await createSigningKey("c"), header: { kid: undefined } };
  expect((await call(guarded, await issuer.sign({}, other))).status).toBe(401);
});

describe("keys at a URL", () => {
  const outcomeOf = async (guarded: Guarded, token: string) => {
    const { status, headers, text } = await call(guarded, token);
    return [status, status === 200 ? "" : JSON.parse(text).message, headers["www-authenticate"]];
  };
  const away = [503, "tokens cannot be verified now", undefined];

  test("are fetched once, and again for a new key", async () => {
    await using issuer = await Issuer.start();
    await using guarded = await startGuarded("own", [await withKeys({ jwks: issuer.url, cooldownMs: 0 })]);
    await Promise.all(Array.from({ length: 10 }, async () => call(guarded, await issuer.sign())));
    expect(issuer.requests).toBe(1);
    const before = await issuer.sign({ sub: "before" });
    issuer.keys = [await createSigningKey("second")];
    expect((await call(guarded, await issuer.sign())).status).toBe(200);
    expect(issuer.requests).toBe(2);
    expect(await outcomeOf(guarded, before)).toEqual([401, ...invalid("token signed with an unknown key").slice(1)]);
  });

  test("are not fetched for each unknown key", async () => {
    await using issuer = await Issuer.start();
    await using guarded = await startGuarded("own", [await withKeys({ jwks: issuer.url })]);
    const stranger = await createSigningKey("stranger");
    for (let index = 0; index < 10; index++) {
      const token = await issuer.sign({}, { key: { ...stranger, kid: `stranger ${index}` } });
      expect((await call(guarded, token)).status).toBe(401);
    }
    expect(issuer.requests).toBe(1);
  });

  test.each(["garbage", "other JSON", "huge", "error", "redirect"] as const)(
    "let in no call while the endpoint sends %s",
    async (endpoint) => {
      await using issuer = await Issuer.start();
      issuer.endpoint = endpoint;
      await using guarded = await startGuarded("own", [await withKeys({ jwks: issuer.url })]);
      const token = await issuer.sign();
      expect(await outcomeOf(guarded, token)).toEqual(away);
      // Within a second after a failure there is no other fetch.
      expect(await outcomeOf(guarded, token)).toEqual(away);
      expect(issuer.requests).toBe(1);
      issuer.endpoint = "good";
      await delay(1100);
      expect(await outcomeOf(guarded, token)).toEqual([200, "", undefined]);
    },
  );

  test("let in calls after a slow fetch, and none after one that takes too long", async () => {
    await using issuer = await Issuer.start();
    issuer.endpoint = "slow";
    await using guarded = await startGuarded("own", [await withKeys({ jwks: issuer.url })]);
    const token = await issuer.sign();
    expect(await outcomeOf(guarded, token)).toEqual([200, "", undefined]);
    await using hasty = await startGuarded("own", [await withKeys({ jwks: issuer.url, fetchTimeoutMs: 50 })]);
    issuer.endpoint = "hanging";
    expect(await outcomeOf(hasty, token)).toEqual(away);
  });

  test("stay in use while the endpoint is away, until their time is over", async () => {
    await using issuer = await Issuer.start();
    const cacheMs = 600;
    await using guarded = await startGuarded("own", [await withKeys({ jwks: issuer.url, cacheMs })]);
    const token = await issuer.sign();
    const startMs = Date.now();
    expect(await outcomeOf(guarded, token)).toEqual([200, "", undefined]);
    const { port } = issuer;
    await issuer.stop();
    while (Date.now() < startMs + cacheMs / 2 + 50) {
      expect(await outcomeOf(guarded, token)).toEqual([200, "", undefined]);
      expect(await outcomeOf(guarded, await issuer.sign())).toEqual([200, "", undefined]);
      await delay(20);
    }
    await delay(startMs + cacheMs + 50 - Date.now());
    expect(await outcomeOf(guarded, token)).toEqual(away);
    await issuer.listen(port);
    await delay(1100);
    expect(await outcomeOf(guarded, token)).toEqual([200, "", undefined]);
  });

  test("are fetched in the background when half of their time is over", async () => {
    await using issuer = await Issuer.start();
    const cacheMs = 1000;
    await using guarded = await startGuarded("own", [await withKeys({ jwks: issuer.url, cacheMs })]);
    const token = await issuer.sign();
    await call(guarded, token);
    issuer.endpoint = "hanging";
    await delay(cacheMs / 2 + 20);
    for (let index = 0; index < 3; index++) expect((await call(guarded, token)).status).toBe(200);
    while (issuer.requests < 2) await delay(5);
    expect(issuer.requests).toBe(2);
    issuer.release();
  });

  test("a token that was verified is checked again when it has expired", async () => {
    await using guarded = await startGuarded("own", [await withKeys({ clockToleranceSeconds: 0 })]);
    const exp = secondsFromNow(2);
    const token = await issuer.sign({ exp });
    expect((await call(guarded, token)).status).toBe(200);
    await delay(exp * 1000 + 20 - Date.now());
    expect(await outcomeOf(guarded, token)).toEqual([401, ...invalid("token expired").slice(1)]);
  });
});
