// Who may call, by flags and the configuration file.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../../../server/command/config.js";
import { openInterceptors } from "../../../server/command/interceptors.js";
import type { Flag } from "../../../server/command/settings.js";
import { request } from "../../support/http.js";
import { audience, Issuer, issuerName } from "../../support/issuer.js";
import { startServer } from "../../support/server.js";

let folder: string;
let issuer: Issuer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "manywire-auth-"));
  issuer = await Issuer.start();
  await writeFile(join(folder, "keys.yaml"), `robot: [robot-0123456789abcdef, sha256:${"0".repeat(64)}]\n`);
  await writeFile(join(folder, "short.yaml"), "robot: short\n");
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

type Flags = Partial<Record<Flag, string>>;

/** Opens the interceptors of flags, where `$` stands for the folder, and of a configuration file. */
async function open(flags: Flags, section?: object) {
  const path = join(folder, "proxy.json");
  await writeFile(path, JSON.stringify({ upstreams: [{ url: "localhost:1" }], auth: section }));
  const given = Object.entries(flags).map(([flag, value = ""]): [Flag, string] => [
    flag as Flag,
    value.replace("$", folder),
  ]);
  const file: [Flag, string][] = section === undefined ? [] : [["--config", path]];
  const { interceptors } = await openInterceptors(await loadConfig(new Map([...file, ...given]), {}));
  return interceptors;
}

/** Returns the statuses of calls with these headers. */
async function call(interceptors: Awaited<ReturnType<typeof open>>, headers: readonly Record<string, string>[]) {
  const server = await startServer({ interceptors });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const path = "/manywire.test.v1.TestService/Unary";
  const send = (own: object) =>
    request(server.url, { path, headers: { "content-type": "application/json", ...own }, body: "{}" });
  return Promise.all(headers.map(async (own) => (await send(own)).status));
}

const flagsOfJwt = (): Flags => ({ "--jwt-issuer": issuerName, "--jwt-audience": audience, "--jwt-jwks": issuer.url });
const optionsOfJwt = () => ({ issuer: issuerName, audience, jwks: issuer.url });
const key = { "x-api-key": "robot-0123456789abcdef" };

test("without settings there are no interceptors", async () => {
  expect(await open({})).toEqual([]);
  expect(await open({}, {})).toEqual([]);
});

test.each<[name: string, interceptors: () => ReturnType<typeof open>, statuses: number[]]>([
  ["flags of tokens", () => open(flagsOfJwt()), [401, 401, 200]],
  ["a file of keys", () => open({ "--api-keys": "$/keys.yaml" }), [401, 200, 401]],
  ["both", () => open({ ...flagsOfJwt(), "--api-keys": "$/keys.yaml" }), [401, 200, 200]],
  ["a section", () => open({}, { jwt: optionsOfJwt() }), [401, 401, 200]],
  [
    "a section with a rule",
    () => open({}, { jwt: { ...optionsOfJwt(), rules: [{ methods: "*", scopes: ["a"] }] } }),
    [401, 401, 403],
  ],
  ["a section with keys", () => open({}, { apiKeys: { keys: { robot: key["x-api-key"] } } }), [401, 200, 401]],
  [
    "a file of keys and a section with rules",
    () => open({ "--api-keys": "$/keys.yaml" }, { apiKeys: { rules: [{ methods: "*", public: true }] } }),
    [200, 200, 200],
  ],
])("%s decide who may call", async (_, open, statuses) => {
  const token = { authorization: `Bearer ${await issuer.sign()}` };
  expect(await call(await open(), [{}, key, token])).toEqual(statuses);
});

test.each<[flags: Flags, section: object | undefined, message: RegExp]>([
  [{ "--jwt-issuer": "a" }, undefined, /^--jwt-issuer: expected --jwt-audience to go with it$/],
  [
    { "--jwt-issuer": "a", "--jwt-audience": "a", "--jwt-jwks": "a" },
    undefined,
    /^--jwt-issuer: jwt: jwks: expected an https: URL/,
  ],
  [
    { "--jwt-jwks": "a" },
    { jwt: {} },
    /^--jwt-jwks: expected either it or .*proxy\.json: line 1, column \d+: auth\.jwt, found both$/,
  ],
  [{ "--api-keys": "$/none.yaml" }, undefined, /^--api-keys: .*none\.yaml/],
  [
    { "--api-keys": "$/short.yaml" },
    undefined,
    /^--api-keys: apiKeys: keys\["robot"\]: expected a key of 16 characters at least/,
  ],
  [
    { "--api-keys": "$/keys.yaml" },
    { apiKeys: { keys: {} } },
    /^--api-keys: expected either it or .*: auth\.apiKeys\.keys, found both$/,
  ],
  [
    { "--api-keys": "$/keys.yaml", "--upstream": "localhost:1", "--pass-unknown": "true" },
    undefined,
    /^--api-keys: expected no --pass-unknown beside it/,
  ],
  [{}, { jwts: {} }, /proxy\.json: line 1, column \d+: auth: unknown key "jwts": did you mean "jwt"\?$/],
  [{}, { jwt: { issuer: "a" } }, /: auth\.jwt: jwt: audience: expected a text, found undefined$/],
  [{}, { jwt: "a" }, /: auth\.jwt: jwt: expected options, found "a"$/],
  [{}, { mtls: {} }, /: auth\.mtls: expected --tls-client-ca to go with it$/],
  [
    { "--tls-client-ca": "ca.pem" },
    { mtls: { rules: [{ methods: "x" }] } },
    /: auth\.mtls: mtls: rules\[0\]\.methods: expected/,
  ],
])("%j with %j: %s", async (flags, section, message) => {
  await expect(open(flags, section)).rejects.toThrow(
    expect.objectContaining({ name: "SettingError", message: expect.stringMatching(message) }),
  );
});
