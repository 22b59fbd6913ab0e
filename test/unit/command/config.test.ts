import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../../server/command/command-line.js";
import { type Config, type Environment, readConfig } from "../../../server/command/config.js";
import { environmentName, settings } from "../../../server/command/settings.js";

function configure(argv: string[], environment: Environment = {}): Config {
  const line = parseCommandLine(argv);
  if (line.kind !== "serve") throw new Error(`expected a command to serve, found ${line.kind}`);
  return readConfig(line.flags, environment);
}

/** An upstream of the flags, with the files that they name. */
const upstream = (url: string, files: object = {}) => ({
  options: { url },
  reflection: undefined,
  files: { ca: undefined, proto: undefined, schema: undefined, ...files },
});

const given: [argv: string[], found: Partial<Config>][] = [
  [[], { options: { limits: {} }, log: { level: "info", format: "auto", sample: 1 }, hasBanner: true }],
  [["serve"], { options: { limits: {} } }],
  [["--host", "::"], { options: { host: "::", limits: {} } }],
  [["--port", "0"], { options: { port: 0, limits: {} } }],
  [["--path", "/run/greeter.sock"], { options: { path: "/run/greeter.sock", limits: {} } }],
  [["--tls-cert", "c", "--tls-key", "k"], { tls: { cert: "c", key: "k", clientCa: undefined } }],
  [["--tls-client-ca", "a"], { tls: { cert: undefined, key: undefined, clientCa: "a" } }],
  [["--max-message-size", "1MiB"], { options: { readMaxBytes: 1_048_576, limits: {} } }],
  [["--max-message-elements", "1000"], { options: { readMaxElements: 1000, limits: {} } }],
  [["--max-header-size", "8KiB"], { options: { limits: { headerBytes: 8192 } } }],
  [["--max-headers", "10"], { options: { limits: { headerCount: 10 } } }],
  [["--max-streams", "7"], { options: { limits: { streamsPerConnection: 7 } } }],
  [["--max-concurrent-calls", "500"], { options: { limits: { concurrentCalls: 500 } } }],
  [["--max-connections", "1000"], { options: { limits: { connections: 1000 } } }],
  [["--max-connections-per-address", "20"], { options: { limits: { connectionsPerAddress: 20 } } }],
  [["--max-lag", "50ms"], { options: { limits: { maxLagMs: 50 } } }],
  [["--max-timeout", "1m"], { options: { maxTimeoutMs: 60_000, limits: {} } }],
  [["--handshake-timeout", "1s"], { options: { limits: { openingMs: 1000 } } }],
  [["--headers-timeout", "2s"], { options: { limits: { headersMs: 2000 } } }],
  [["--request-timeout", "1m"], { options: { limits: { requestMs: 60_000 } } }],
  [["--keep-alive-timeout", "0"], { options: { limits: { keepAliveMs: 0 } } }],
  [["--max-connection-age", "30m"], { options: { limits: { maxConnectionAgeMs: 1_800_000 } } }],
  [["--max-connection-age-grace", "1m"], { options: { limits: { maxConnectionAgeGraceMs: 60_000 } } }],
  [["--max-connection-idle", "5m"], { options: { limits: { maxConnectionIdleMs: 300_000 } } }],
  [["--probe-after", "1m"], { options: { limits: { probeMs: 60_000 } } }],
  [["--session-memory", "32MB"], { options: { limits: { sessionMemoryMb: 32 } } }],
  [["--max-unsent", "8MiB"], { options: { limits: { unsentBytes: 8_388_608 } } }],
  [["--stall-timeout", "0"], { options: { limits: { stallMs: 0 } } }],
  [["--stream-window", "64KiB"], { options: { limits: { streamWindowBytes: 65_536 } } }],
  [["--connection-window", "2MiB"], { options: { limits: { connectionWindowBytes: 2_097_152 } } }],
  [["--drain-delay", "5s"], { options: { drainDelayMs: 5000, limits: {} } }],
  [["--workers", "4"], { workers: 4 }],
  [["--control", "a.sock"], { control: "a.sock" }],
  [["--workers", "auto"], { workers: availableParallelism() }],
  [["--drain-timeout", "1h"], { options: { drainTimeoutMs: 3_600_000, limits: {} } }],
  [["--jwt-issuer", "a", "--jwt-audience", "b", "--jwt-jwks", "c"], { jwt: { issuer: "a", audience: "b", jwks: "c" } }],
  [["--api-keys", "keys.yaml"], { apiKeys: "keys.yaml" }],
  [["--config", "proxy.yaml"], { file: "proxy.yaml", options: { limits: {} } }],
  [["--watch"], { isWatching: true }],
  [["--upstream", "localhost:1,https://a.b"], { upstreams: [upstream("localhost:1"), upstream("https://a.b")] }],
  ...(["--upstream-ca", "--proto", "--schema"] as const).map((flag): [string[], Partial<Config>] => [
    ["--upstream", "[::1]:1", flag, "file"],
    {
      upstreams: [
        upstream("[::1]:1", { [flag.replace(/--(upstream-)?/, "")]: expect.objectContaining({ value: "file" }) }),
      ],
    },
  ]),
  [
    ["--upstream", "a:1", "--no-upstream-reflection"],
    { upstreams: [{ ...upstream("a:1"), reflection: expect.objectContaining({ value: false }) }] },
  ],
  [
    ["--upstream", "a:1", "--pass-unknown"],
    { upstreams: [{ ...upstream("a:1"), options: { url: "a:1", passUnknownMethods: true } }] },
  ],
  [["--metrics"], { metrics: { isServed: true, port: undefined, host: "127.0.0.1" } }],
  [["--metrics-port", "9464", "--metrics-host", "::"], { metrics: { isServed: false, port: 9464, host: "::" } }],
  [["--schema-cache", "cache.json"], { schemaCache: "cache.json" }],
  [["--proxy-protocol"], { options: { proxyProtocol: true, limits: {} } }],
  [["--trust-proxy", "loopback,10.0.0.0/8"], { options: { trustProxy: ["loopback", "10.0.0.0/8"], limits: {} } }],
  [["--grpc-gateway-metadata"], { options: { rest: { grpcGatewayMetadata: true }, limits: {} } }],
  [["--http-rules", "rules.yaml"], { httpRules: "rules.yaml", options: { limits: {} } }],
  [["--without-routes", "a.B.C,a.D.*"], { options: { limits: {}, rest: { withoutRoutes: ["a.B.C", "a.D.*"] } } }],
  [["--ignore-parameters", "key, utm_*"], { options: { limits: {}, rest: { ignoredParameters: ["key", "utm_*"] } } }],
  [["--ignore-trailing-slash"], { options: { limits: {}, rest: { ignoreTrailingSlash: true } } }],
  [["--reject-unknown-fields"], { options: { limits: {}, rest: { ignoreUnknownFields: false } } }],
  [["--no-patch-mask"], { options: { limits: {}, rest: { patchMask: false } } }],
  [["--emit-defaults"], { options: { limits: {}, rest: { emitDefaults: true } } }],
  [["--proto-names"], { options: { limits: {}, rest: { useProtoNames: true } } }],
  [["--grpc-gateway-metadata"], { options: { limits: {}, rest: { grpcGatewayMetadata: true } } }],
  [["--enums-as-numbers"], { options: { limits: {}, rest: { enumsAsNumbers: true } } }],
  [
    ["--rate-limit", "50/10s"],
    { rateLimits: [{ name: expect.any(String), options: { points: 50, durationSeconds: 10 } }] },
  ],
  [["--validate"], { validates: true }],
  [["--no-reflection"], { options: { reflection: false, limits: {} } }],
  [["--cors-origin", "*"], { options: { limits: {}, cors: { origins: ["*"] } } }],
  [
    ["--cors-origin", "https://a.example.com, https://*.example.org"],
    { options: { limits: {}, cors: { origins: ["https://a.example.com", "https://*.example.org"] } } },
  ],
  [["--docs", "off"], { options: { docs: false, limits: {} } }],
  [["--docs", "on"], { options: { docs: true, limits: {} } }],
  [["--openapi-operations", "rest"], { options: { docs: { operations: ["rest"] }, limits: {} } }],
  [["--openapi-operations", "rest,connect", "--docs", "off"], { options: { docs: false, limits: {} } }],
  [["--no-code-generation"], { options: { codeGeneration: false, limits: {} } }],
  [["--reference-lane"], { options: { fastLane: false, limits: {} } }],
  [["--node-http2"], { options: { http2: "node", limits: {} } }],
  [["--log-level", "warn"], { log: { level: "warn", format: "auto", sample: 1 } }],
  [["--log-format", "json"], { log: { level: "info", format: "json", sample: 1 } }],
  [["--log-sample", "0.01"], { log: { level: "info", format: "auto", sample: 0.01 } }],
  [["--tracing"], { isTracing: true }],
  [["--no-banner"], { hasBanner: false }],
];

/** The same settings, by their variables. */
function toEnvironment(argv: string[]): Environment {
  const environment: Record<string, string> = {};
  for (const [index, word] of argv.entries()) {
    if (!word.startsWith("--")) continue;
    const next = argv[index + 1];
    environment[environmentName(word as `--${string}`)] = next === undefined || next.startsWith("--") ? "true" : next;
  }
  return environment;
}

describe("a setting", () => {
  it.each(given)("is taken from the flags %j", (argv, found) => {
    expect(configure(argv)).toMatchObject(found);
  });

  it.each(given)("is taken from the variables of %j", (argv, found) => {
    expect(configure([], toEnvironment(argv))).toMatchObject(found);
  });

  it("is in one of these cases, whichever it is", () => {
    const tested = new Set(given.flatMap(([argv]) => argv));
    expect(settings.map(({ flag }) => flag).filter((flag) => !tested.has(flag))).toEqual([]);
  });

  it("becomes the option of its name and no other", () => {
    const { options } = configure(["--port", "1"]);
    expect(options).toEqual({ port: 1, limits: {} });
  });

  it("that is a list has the items of all its flags", () => {
    const argv = ["--cors-origin", "https://a.com,https://b.com", "--cors-origin=https://c.com"];
    expect(configure(argv).options.cors).toEqual({ origins: ["https://a.com", "https://b.com", "https://c.com"] });
    expect(configure(["--without-routes", "a.B", "--without-routes", "c.D"]).options.rest).toEqual({
      withoutRoutes: ["a.B", "c.D"],
    });
  });

  it("comes from the flag where the variable says otherwise", () => {
    expect(configure(["--port=1"], { MANYWIRE_PORT: "2" }).options.port).toBe(1);
  });

  it.each<[argv: string[], environment: Environment, port: number | undefined, name: string]>([
    [[], { PORT: "8080" }, 8080, "PORT"],
    [[], { PORT: "" }, undefined, "--port"],
    [[], { PORT: "8080", MANYWIRE_PORT: "1" }, 1, "MANYWIRE_PORT"],
    [["--port", "2"], { PORT: "8080" }, 2, "--port"],
    [["--path", "/run/a.sock"], { PORT: "8080" }, undefined, "--port"],
  ])("with %j and %j has the port %s, from %s", (argv, environment, port, name) => {
    const { options, nameOf } = configure(argv, environment);
    expect([options.port, nameOf("--port")]).toEqual([port, name]);
  });

  it("comes from the file where neither flag nor variable says otherwise", () => {
    const settings = new Map([
      ["--port", { name: "proxy.yaml: line 1, column 7: port", value: 1 }],
      ["--host", { name: "proxy.yaml: line 2, column 7: host", value: "file" }],
      ["--docs", { name: "proxy.yaml: line 3, column 7: docs", value: false }],
    ] as const);
    const { options, nameOf } = readConfig(
      new Map([["--port", "2"]]),
      { MANYWIRE_HOST: "env", PORT: "3" },
      {
        settings,
        upstreams: [],
      },
    );
    expect(options).toEqual({ port: 2, host: "env", docs: false, limits: {} });
    const names = (["--port", "--host", "--docs"] as const).map(nameOf);
    expect(names).toEqual(["--port", "MANYWIRE_HOST", "proxy.yaml: line 3, column 7: docs"]);
  });

  it("is not given by an empty variable", () => {
    expect(configure([], { MANYWIRE_PORT: "", MANYWIRE_NO_BANNER: "" })).toMatchObject({
      options: { limits: {} },
      hasBanner: true,
    });
  });

  it("is taken back by a variable that says false", () => {
    const { options, hasBanner } = configure([], { MANYWIRE_NO_REFLECTION: "false", MANYWIRE_NO_BANNER: "0" });
    expect({ options, hasBanner }).toEqual({ options: { reflection: true, limits: {} }, hasBanner: true });
  });

  it("is named after the place where it was given", () => {
    const { nameOf } = configure(["--port", "1"], { MANYWIRE_PORT: "2", MANYWIRE_HOST: "h" });
    expect([nameOf("--port"), nameOf("--host"), nameOf("--path")]).toEqual(["--port", "MANYWIRE_HOST", "--path"]);
  });
});

const wrong: [argv: string[], environment: Environment, message: string][] = [
  [["--port", "x"], {}, '--port: expected a whole number from 0 to 65535, found "x"'],
  [["--port", "65536"], {}, '--port: expected a whole number from 0 to 65535, found "65536"'],
  [["--port", ""], {}, '--port: expected a whole number from 0 to 65535, found ""'],
  [[], { MANYWIRE_PORT: "x" }, 'MANYWIRE_PORT: expected a whole number from 0 to 65535, found "x"'],
  [["--host", ""], {}, '--host: expected an address, found ""'],
  [["--path", ""], {}, '--path: expected a file, found ""'],
  [["--max-streams", "0"], {}, '--max-streams: expected a whole number from 1 to 2147483647, found "0"'],
  [
    ["--drain-timeout", "30"],
    {},
    '--drain-timeout: expected a time with its unit, such as 500ms, 10s or 2m, or 0, found "30"',
  ],
  [["--log-sample", "1.1"], {}, '--log-sample: expected a number from 0 to 1, such as 0.01, found "1.1"'],
  [["--log-sample", "1%"], {}, '--log-sample: expected a number from 0 to 1, such as 0.01, found "1%"'],
  [["--workers", "0"], {}, '--workers: expected a whole number from 1 to 1024, or auto, found "0"'],
  [["--log-level", "loud"], {}, '--log-level: expected debug, info, warn, error or silent, found "loud"'],
  [[], { MANYWIRE_NO_REFLECTION: "yes" }, 'MANYWIRE_NO_REFLECTION: expected true or false, found "yes"'],
  [["--ignore-parameters", "a*b"], {}, '--ignore-parameters: expected names with commas between, found "a*b"'],
  [["--without-routes", "a.*.b"], {}, '--without-routes: expected selectors with commas between, found "a.*.b"'],
  [[], { MANYWIRE_EMIT_DEFAULTS: "yes" }, 'MANYWIRE_EMIT_DEFAULTS: expected true or false, found "yes"'],
  [
    ["--cors-origin", "https://a.example.com/"],
    {},
    '--cors-origin: expected origins such as https://app.example.com or https://*.example.com, or *, found "https://a.example.com/"',
  ],
  [
    [],
    { MANYWIRE_CORS_ORIGIN: "a.example.com" },
    'MANYWIRE_CORS_ORIGIN: expected origins such as https://app.example.com or https://*.example.com, or *, found "a.example.com"',
  ],
  [
    ["--openapi-operations", "soap"],
    {},
    '--openapi-operations: expected rest, connect or both with a comma between, found "soap"',
  ],
  [["--docs", "no"], {}, '--docs: expected on or off, found "no"'],
  [["--port"], {}, "option '--port <number>' argument missing"],
  [["--prot", "1"], {}, "unknown option '--prot' (Did you mean one of --port, --proto?)"],
  [["--no-reflection=x"], {}, "unknown option '--no-reflection=x' (Did you mean --no-reflection?)"],
  [
    ["--upstream", "localhost"],
    {},
    '--upstream: expected host:port, http://…, https://… or unix:/path, found "localhost"',
  ],
  [["proxy", "a.js"], {}, 'proxy: expected no module, found "a.js"; --upstream names a server'],
  [
    ["server"],
    {},
    'expected the command serve, proxy, openapi, init, call, describe, health or status, found "server"',
  ],
  [["--yaml"], {}, "--yaml: expected the command openapi to go with it"],
  [["serve", "a.js", "more"], {}, "too many arguments. Expected 2 arguments but got 3."],
];

describe("what cannot be read", () => {
  it.each(wrong)("stops the command: %j with %j", (argv, environment, message) => {
    expect(() => configure(argv, environment)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });
});

describe("the help", () => {
  const { text } = parseCommandLine(["--help"]) as { text: string };
  const words = text.replaceAll(/\s+/g, " ");

  it.each(settings.map(({ flag }) => flag))("has %s with its variable", (flag) => {
    expect(words).toMatch(new RegExp(` ${flag} (?:(?! --).)*\\(${environmentName(flag)}[,)]`));
  });

  it("has the defaults of the server", () => {
    expect(words).toContain("(MANYWIRE_PORT, default: 50051)");
    expect(words).toContain("(MANYWIRE_MAX_MESSAGE_SIZE, default: 4MiB)");
    expect(words).toContain("(MANYWIRE_REQUEST_TIMEOUT, default: 0)");
    expect(words).toContain("(MANYWIRE_LOG_LEVEL, default: info)");
  });
});
