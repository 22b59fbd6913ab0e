// Options of `jwt`. What callers see is in test/behaviour.
import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { type JwtOptions, jwt } from "../../../server/interceptors/index.js";

const jwks = "https://issuer.test/keys";
const common = { issuer: "https://issuer.test", audience: "api", jwks };
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
const publicKey = ec.publicKey.export({ format: "jwk" });

test.each<[options: unknown, message: string]>([
  [undefined, "jwt: expected options, found undefined"],
  [{ ...common, audienc: "a" }, 'jwt: unknown option "audienc": did you mean "audience"?'],
  [{ audience: "a", jwks }, "jwt: issuer: expected a text, found undefined"],
  [{ ...common, issuer: [] }, "jwt: issuer: expected a text, found an array"],
  [{ issuer: "a", jwks }, "jwt: audience: expected a text, found undefined"],
  [{ ...common, audience: ["a", ""] }, "jwt: audience: expected a text, found an array"],
  [{ issuer: "a", audience: "a" }, "jwt: jwks: expected a URL or a key set { keys: […] }, found undefined"],
  ...["issuer.test/keys", "http://issuer.test/keys", "file:///keys", "http://127.0.0.1.issuer.test/"].map(
    (url): [unknown, string] => [
      { ...common, jwks: url },
      `jwt: jwks: expected an https: URL, or an http: one of this machine, found "${url}"`,
    ],
  ),
  [{ ...common, jwks: { keys: [] } }, "jwt: jwks.keys: expected keys, found none"],
  [
    { ...common, jwks: { keys: [publicKey, { kty: "oct", k: "AAAA" }] } },
    'jwt: jwks.keys[1].kty: expected RSA, EC, OKP, found "oct"',
  ],
  [
    { ...common, jwks: { keys: [ec.privateKey.export({ format: "jwk" })] } },
    'jwt: jwks.keys[0]: expected a public key, found a private one, with "d"',
  ],
  [
    { ...common, jwks: { keys: [{ ...publicKey, x: "AAAA" }] } },
    "jwt: jwks.keys[0]: expected a JSON Web Key, found one that cannot be read",
  ],
  [{ ...common, jwks: { keys: [weak] } }, "jwt: jwks.keys[0]: expected 2048 bits at least, found 1024"],
  [{ ...common, algorithms: [] }, "jwt: algorithms: expected an array of algorithms, found an array"],
  ...["HS256", "none", "RSA-OAEP", 1].map((algorithm): [unknown, string] => [
    { ...common, algorithms: ["ES256", algorithm] },
    `jwt: algorithms: expected ones of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519, found "${algorithm}"`,
  ]),
  [
    { ...common, clockToleranceSeconds: -1 },
    "jwt: clockToleranceSeconds: expected a whole number from 0 to 2147483647, found -1",
  ],
  [{ ...common, cacheMs: 0.5 }, "jwt: cacheMs: expected a whole number from 0 to 2147483647, found 0.5"],
  [{ ...common, typ: "" }, 'jwt: typ: expected a text, found ""'],
  [{ ...common, claims: "admin" }, 'jwt: claims: expected an object of names and values, found "admin"'],
  [{ ...common, rules: {} }, "jwt: rules: expected an array, found an object"],
  [
    { ...common, rules: [{ methods: "*", scope: ["a"] }] },
    'jwt: rules[0]: unknown option "scope": did you mean "scopes"?',
  ],
  [
    { ...common, rules: [{ methods: "*", scopes: "a b" }] },
    'jwt: rules[0].scopes: expected an array of scopes, found "a b"',
  ],
  [
    { ...common, rules: [{ methods: "*", scopes: ["a b"] }] },
    "jwt: rules[0].scopes: expected an array of scopes, found an array",
  ],
  [
    { ...common, rules: [{ methods: "*", claims: { role: [] } }] },
    "jwt: rules[0].claims.role: expected a value or an array of values, found an array",
  ],
  [
    { ...common, rules: [{ methods: "*", public: "true" }] },
    'jwt: rules[0].public: expected true or false, found "true"',
  ],
  [
    { ...common, rules: [{ methods: "*", public: true, scopes: ["a"] }] },
    "jwt: rules[0]: expected either public or scopes and claims, found both",
  ],
])("%j: %s", async (options, message) => {
  await expect(jwt(options as JwtOptions)).rejects.toThrow(expect.objectContaining({ message }));
});
