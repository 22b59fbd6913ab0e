// The configuration file of `manywire proxy`: what it says, what is wrong in it and where, and that its JSON schema agrees.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { upstreamFields } from "../../../server/command/config-fields.js";
import { readConfigFile } from "../../../server/command/config-file.js";
import { createConfigSchema } from "../../../server/command/config-schema.js";
import { settings } from "../../../server/command/settings.js";
import { root } from "../../support/stage.js";

const folder = mkdtempSync(join(tmpdir(), "manywire-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, "proxy.yaml");

function read(text: string) {
  writeFileSync(path, text);
  return readConfigFile("--config", path);
}

/** The problems, without the name of the file. */
function problemsOf(text: string): string[] {
  try {
    read(text);
    return [];
  } catch (error) {
    return (error as Error).message.split("\n").map((line) => line.replace(`${path}: `, ""));
  }
}

const upstream = "upstreams:\n  - url: a:1\n";

const good: [what: string, text: string][] = [
  ["one upstream", upstream],
  ["JSON", '{"$schema": "proxy.schema.json", "upstreams": [{"url": "a:1"}]}'],
  ["comments, a document start and Windows' line ends", "---\r\n# servers\r\nupstreams:\r\n- url: a:1\r\n"],
  ["two of one address", "upstreams: [{ url: a:1 }, { url: a:1 }]"],
  ["an alias", "upstreams:\n- url: https://a\n  tls: &tls { ca: ca.pem }\n- { url: https://b, tls: *tls }"],
  ["every key of an upstream with reflection", "upstreams: [{ url: a:1, services: [a.B, c.D], readMaxBytes: 8MiB }]"],
  ["a service config", `${upstream}    serviceConfig: { methodConfig: [{ name: [{}], timeout: 5s }] }`],
  [
    "connections",
    `${upstream}    addresses: ["b:1", c, "[::1]:2"]\n    loadBalancing: round_robin\n    maxConnections: 2\n    connectTimeoutMs: 100\n    maxPendingCalls: 5`,
  ],
  ["numbers of bytes", `${upstream}max-message-size: 1000`],
  ["all of tls", "upstreams: [{ url: https://a, tls: { ca: a, cert: b, key: c, serverName: d } }]"],
  ["a folder of proto files", "upstreams: [{ url: 'unix:/run/a.sock', proto: protos }]"],
  ["settings", `${upstream}port: 0\nhost: "::"\ncors-origin: ["*"]\nmax-message-size: 8MiB\ndrain-timeout: 1.5s`],
  ["zero without a unit", `${upstream}drain-delay: 0`],
  ["switches", `${upstream}reflection: false\nemit-defaults: true\nbanner: false\nwatch: true`],
  ["guards", `${upstream}validate: true\nrate-limit: 100/s`],
  [
    "rate limits",
    `${upstream}rate-limits: [{ limit: 5/m, methods: [a.B/C, a.B/*, "*"], key: header:x-a }, { limit: 1/s }]`,
  ],
  ["what is on or off", `${upstream}docs: off`],
  ["what is true or false", `${upstream}docs: false`],
];

/** Each with its problems, by line and column. */
const bad: [what: string, text: string, ...problems: string[]][] = [
  ["nothing", "", "line 1, column 1: expected a mapping such as { upstreams: [{ url: localhost:50051 }] }, found none"],
  ["a text", "a", 'line 1, column 1: expected a mapping such as { upstreams: [{ url: localhost:50051 }] }, found "a"'],
  [
    "no upstreams",
    "port: 1",
    "line 1, column 1: upstreams: expected a list such as [{ url: localhost:50051 }], found none",
  ],
  [
    "an empty list",
    "upstreams: []",
    "line 1, column 12: upstreams: expected a list such as [{ url: localhost:50051 }], found an empty list",
  ],
  [
    "a mapping as list",
    "upstreams: { url: a:1 }",
    "line 1, column 12: upstreams: expected a list such as [{ url: localhost:50051 }], found a mapping",
  ],
  [
    "texts as upstreams",
    "upstreams:\n  - a:1",
    'line 2, column 5: upstreams[0]: expected a mapping such as { url: localhost:50051 }, found "a:1"',
  ],
  [
    "no address",
    "upstreams:\n  - proto: a",
    "line 2, column 5: upstreams[0].url: expected host:port, http://…, https://… or unix:/path, found none",
  ],
  [
    "a key without value",
    "upstreams:\n  - url:",
    "line 2, column 9: upstreams[0].url: expected host:port, http://…, https://… or unix:/path, found none",
  ],
  [
    "an invalid address",
    "upstreams:\n  - url: localhost",
    'line 2, column 10: upstreams[0].url: expected host:port, http://…, https://… or unix:/path, found "localhost"',
  ],
  [
    "a rate limit without its limit",
    `${upstream}rate-limits: [{ key: peer }]`,
    "line 3, column 15: rate-limits[0].limit: expected a number of calls and a time, such as 100/s, 50/10s or 1000/h, found none",
  ],
  [
    "what a rate limit cannot have",
    `${upstream}rate-limits: [{ limit: 100, key: ip, methods: [a.B.C] }]`,
    "line 3, column 24: rate-limits[0].limit: expected a number of calls and a time, such as 100/s, 50/10s or 1000/h, found 100",
    'line 3, column 34: rate-limits[0].key: expected peer, principal or the name of a header, such as header:x-api-key, found "ip"',
    'line 3, column 48: rate-limits[0].methods[0]: expected methods with commas between, found "a.B.C"',
  ],
  ["a misspelt key", `${upstream}porrt: 1`, 'line 3, column 1: unknown key "porrt": did you mean "port"?'],
  [
    "a key of the flag",
    `${upstream}no-reflection: true`,
    'line 3, column 1: unknown key "no-reflection": did you mean "reflection"?',
  ],
  [
    "a misspelt key of an upstream",
    `${upstream}    servcies: [a.B]`,
    'line 3, column 5: upstreams[0]: unknown key "servcies": did you mean "services"?',
  ],
  [
    "a misspelt key of tls",
    "upstreams: [{ url: https://a, tls: { crt: a } }]",
    'line 1, column 38: upstreams[0].tls: unknown key "crt": did you mean "cert"?',
  ],
  ["a key that is another", `${upstream}something: 1`, 'line 3, column 1: unknown key "something"'],
  ["a number as key", `${upstream}1: 1`, 'line 3, column 1: unknown key "1"'],
  ["a flag that upstreams has", `${upstream}upstream: a:1`, 'line 3, column 1: unknown key "upstream"'],
  [
    "a text as number",
    `${upstream}port: "1"`,
    'line 3, column 7: port: expected a whole number from 0 to 65535, found "1"',
  ],
  [
    "a number that is too large",
    `${upstream}port: 65536`,
    "line 3, column 7: port: expected a whole number from 0 to 65535, found 65536",
  ],
  ["a fraction", `${upstream}port: 1.5`, "line 3, column 7: port: expected a whole number from 0 to 65535, found 1.5"],
  [
    "not a number",
    `${upstream}port: .nan`,
    "line 3, column 7: port: expected a whole number from 0 to 65535, found NaN",
  ],
  [
    "a list as number",
    `${upstream}port: [1]`,
    "line 3, column 7: port: expected a whole number from 0 to 65535, found a list",
  ],
  [
    "a time without unit",
    `${upstream}drain-timeout: 30`,
    "line 3, column 16: drain-timeout: expected a time with its unit, such as 500ms, 10s or 2m, or 0, found 30",
  ],
  [
    "a size without number",
    `${upstream}max-message-size: MiB`,
    'line 3, column 19: max-message-size: expected a size such as 4096, 16KiB or 4MiB, below 2GiB, found "MiB"',
  ],
  [
    "a word that is none of a few",
    `${upstream}log-level: loud`,
    'line 3, column 12: log-level: expected debug, info, warn, error or silent, found "loud"',
  ],
  [
    "a share above 1",
    `${upstream}log-sample: 2`,
    "line 3, column 13: log-sample: expected a number from 0 to 1, such as 0.01, found 2",
  ],
  [
    "a text as switch",
    `${upstream}reflection: "no"`,
    'line 3, column 13: reflection: expected true or false, found "no"',
  ],
  ["an empty text", `${upstream}host: ""`, 'line 3, column 7: host: expected an address, found ""'],
  [
    "a text as list",
    `${upstream}    services: a.B`,
    'line 3, column 15: upstreams[0].services: expected a list: names with commas between, found "a.B"',
  ],
  [
    "an item that is no name",
    `${upstream}    services:\n      - a.B\n      - c D`,
    'line 5, column 9: upstreams[0].services[1]: expected names with commas between, found "c D"',
  ],
  [
    "a service config that is none",
    `${upstream}    serviceConfig: []`,
    "line 3, column 20: upstreams[0].serviceConfig: expected a mapping such as { methodConfig: [{ name: [{}], timeout: 5s }] }, found an empty list",
  ],
  [
    "several faults",
    "porrt: 1\nupstreams:\n  - url: a\n    tlss: {}\nhost: 1",
    'line 1, column 1: unknown key "porrt": did you mean "port"?',
    'line 3, column 10: upstreams[0].url: expected host:port, http://…, https://… or unix:/path, found "a"',
    'line 4, column 5: upstreams[0]: unknown key "tlss": did you mean "tls"?',
    "line 5, column 7: host: expected an address, found 1",
  ],
];

/** What JSON schema cannot say, or its readers do not see. */
const badOnlyHere: typeof bad = [
  [
    "tls without https",
    "upstreams:\n  - url: a:1\n    tls: { ca: a }",
    'line 3, column 10: upstreams[0].tls: expected an https: address in url, found "a:1"',
  ],
  [
    "two schemas",
    "upstreams: [{ url: a:1, proto: a, schema: b }]",
    "line 1, column 32: upstreams[0].proto: expected either it or schema, found both",
  ],
  [
    "reflection that is off without files",
    `${upstream}    reflection: false`,
    "line 3, column 17: upstreams[0].reflection: expected proto or schema to go with false, found neither",
  ],
  [
    "a certificate alone",
    "upstreams: [{ url: https://a, tls: { cert: a } }]",
    "line 1, column 44: upstreams[0].tls.cert: expected key to go with it",
  ],
  [
    "a key alone",
    "upstreams: [{ url: https://a, tls: { key: a } }]",
    "line 1, column 43: upstreams[0].tls.key: expected cert to go with it",
  ],
  [
    "an origin with a path",
    `${upstream}cors-origin: ["https://a/b"]`,
    'line 3, column 15: cors-origin[0]: expected origins such as https://app.example.com or https://*.example.com, or *, found "https://a/b"',
  ],
  [
    "a time that is too long",
    `${upstream}drain-timeout: 999999h`,
    'line 3, column 16: drain-timeout: expected a time with its unit, such as 500ms, 10s or 2m, or 0, found "999999h"',
  ],
];

/** What no reader of YAML takes. */
const unreadable: typeof bad = [
  ["a duplicate key", `${upstream}port: 1\nport: 2`, 'line 4, column 1: duplicate key "port"; the first is in line 3'],
  ["a tab", "upstreams:\n\t- url: a:1", "line 2, column 1: Tabs are not allowed as indentation"],
  [
    "a bracket that is not closed",
    "upstreams: [",
    "line 1, column 13: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  ["two documents", `${upstream}---\na`, "line 3, column 1: expected one document, found another"],
  ["an unknown tag", `${upstream}host: !secret a`, "line 3, column 7: Unresolved tag: !secret"],
];

describe("a right file", () => {
  it.each(good)("%s", (_, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it("gives settings by flag, with the names for errors", () => {
    const { settings } = read(`${upstream}port: 1\nhttp-rules: rules.yaml\nreflection: false\ncors-origin: ["*"]`);
    expect(Object.fromEntries(settings)).toEqual({
      "--port": { name: `${path}: line 3, column 7: port`, value: 1 },
      "--http-rules": { name: `${path}: line 4, column 13: http-rules`, value: join(folder, "rules.yaml") },
      "--no-reflection": { name: `${path}: line 5, column 13: reflection`, value: false },
      "--cors-origin": { name: `${path}: line 6, column 14: cors-origin`, value: ["*"] },
    });
  });

  it("gives upstreams, with paths relative to the file", () => {
    const text = `
upstreams:
  - url: https://a
    tls: { ca: ca.pem, cert: /etc/cert.pem, key: ../key.pem, serverName: b }
    services: [a.B]
    readMaxBytes: 1KiB
    schema: api.binpb
`;
    const given = (place: string, value: string) => ({ name: `${path}: ${place}`, value });
    expect(read(text).upstreams).toEqual([
      {
        options: { url: "https://a", services: ["a.B"], readMaxBytes: 1024 },
        reflection: undefined,
        serverName: "b",
        files: {
          ca: given("line 4, column 16: upstreams[0].tls.ca", join(folder, "ca.pem")),
          cert: given("line 4, column 30: upstreams[0].tls.cert", "/etc/cert.pem"),
          key: given("line 4, column 50: upstreams[0].tls.key", join(folder, "../key.pem")),
          proto: undefined,
          schema: given("line 7, column 13: upstreams[0].schema", join(folder, "api.binpb")),
        },
      },
    ]);
  });
});

describe("a wrong file", () => {
  it.each([...bad, ...badOnlyHere, ...unreadable])("is refused with every place: %s", (_, text, ...problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it.each([
    ["nesting without end", "[".repeat(200_000)],
    ["a large file", "#".repeat(256 * 1024 + 1)],
    ["many aliases", `upstreams: [&a { url: a:1 }${", *a".repeat(50_000)}]`],
    [
      "aliases of aliases",
      `a: &a [b, b]\n${Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [*a${i || ""}, *a]`).join("\n")}`,
    ],
    ["many unknown keys", Array.from({ length: 20_000 }, (_, index) => `key${index}: 1`).join("\n")],
    ["many wrong items", `upstreams: [${"1,".repeat(50_000)}]`],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0xfd]).toString("latin1")],
  ])("is refused soon: %s", (_, text) => {
    const begunMs = performance.now();
    const problems = problemsOf(text);
    expect(performance.now() - begunMs).toBeLessThan(5000);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(20);
  });

  it("names the setting if it cannot be read", () => {
    expect(() => readConfigFile("MANYWIRE_CONFIG", "none.yaml")).toThrow("MANYWIRE_CONFIG: none.yaml: no such file");
    expect(() => readConfigFile("--config", folder)).toThrow(`--config: ${folder}: a folder, expected a file`);
    expect(() => readConfigFile("--config", "/dev/zero")).toThrow("--config: /dev/zero: expected at most 262144 bytes");
  });
});

it("reads rate limits, each with its place", () => {
  const { rateLimits } = read(`${upstream}rate-limits:\n  - limit: 5/m\n    methods: [a.B/C]\n    key: header:x-a\n`);
  expect(rateLimits).toEqual([
    {
      name: `${path}: line 4, column 5: rate-limits[0]`,
      options: { points: 5, durationSeconds: 60, methods: ["a.B/C"], key: { header: "x-a" } },
    },
  ]);
});

describe("the JSON schema", () => {
  const isValid = new Ajv({ strict: true, strictTypes: false, allErrors: true }).compile(createConfigSchema());

  it.each([...good, ...badOnlyHere])("accepts %s", (_, text) => {
    isValid(parse(text));
    expect(isValid.errors ?? []).toEqual([]);
  });

  it.each(bad)("refuses %s", (_, text) => {
    expect(isValid(parse(text))).toBe(false);
  });

  it("has every setting but those of one upstream, and every key of an upstream", () => {
    const schema = JSON.parse(JSON.stringify(createConfigSchema()));
    const keys = Object.keys(schema.properties);
    const missing = settings.filter(({ flag }) => !keys.includes(flag.replace(/^--(no-)?/, "")));
    expect(missing.map(({ flag }) => flag)).toEqual([
      "--config",
      "--upstream",
      "--upstream-ca",
      "--proto",
      "--schema",
      "--no-upstream-reflection",
      "--pass-unknown",
    ]);
    expect(Object.keys(schema.properties.upstreams.items.properties)).toEqual(Object.keys(upstreamFields));
  });

  // `npx vitest run test/unit/command/config-file.test.ts -u` writes it anew.
  it("is what the package has", async () => {
    const file = join(root, "proxy.schema.json");
    await expect(`${JSON.stringify(createConfigSchema(), undefined, 2)}\n`).toMatchFileSnapshot(file);
    const { exports, files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect([exports["./proxy.schema.json"], files]).toEqual([
      "./proxy.schema.json",
      expect.arrayContaining(["proxy.schema.json"]),
    ]);
  });
});
