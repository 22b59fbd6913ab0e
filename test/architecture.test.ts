// The map of the source tree: which part may import which. It is held here so that a part can be understood, tested and
// replaced without those that stand on it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

/** What one folder or file may import of the others. Parts are named by the beginning of their paths. */
interface Part {
  /** Parts whose code it uses, and whose types. */
  readonly uses: readonly string[];
  /** Parts of which it names types only. */
  readonly names?: readonly string[];
  /** Packages, and those of which it names types only. */
  readonly packages?: readonly string[];
  readonly namesPackages?: readonly string[];
  /** Whether it runs without Node, in a browser. */
  readonly isPortable?: boolean;
}

const protobuf = "@bufbuild/protobuf";
const connect = "@connectrpc/connect";
const connectNode = "@connectrpc/connect-node";

/** Parts of `server/` by the beginning of their paths. */
const server = (...parts: readonly string[]) => parts.map((part) => `server/${part}`);

const map: Record<string, Part> = {
  // What knows nothing of the others.
  "gen/": { uses: ["gen/"], packages: [protobuf], isPortable: true },
  "server/quote.ts": { uses: [], isPortable: true },
  "server/suggest.ts": { uses: [], isPortable: true },
  "server/dense-set.ts": { uses: [], isPortable: true },
  "server/deferred.ts": { uses: [], isPortable: true },
  "server/byte-writer.ts": { uses: [], isPortable: true },
  "server/clock.ts": { uses: [] },
  "server/load-package.ts": { uses: [], isPortable: true },
  "server/counters.ts": { uses: [], isPortable: true },
  "server/whole-number.ts": { uses: [], isPortable: true },
  "server/slices.ts": { uses: [] },
  "server/within.ts": { uses: [] },
  // What the programs of the server and of the client share: errors of settings, PEM files, the version.
  "server/program/": { uses: [] },
  "server/http/": { uses: [] },
  // HTTP/1.1 as bytes: what clients send, and what servers do.
  "server/http1/": { uses: server("http/header.ts") },
  // HTTP/2 as bytes and events, for both sides of a connection.
  "server/http2/": { uses: server("byte-writer.ts"), isPortable: true },
  "server/listen/": {
    uses: server("http/", "http1/", "http2/", "clock.ts", "counters.ts", "dense-set.ts", "whole-number.ts"),
  },
  "server/schema/": {
    uses: ["gen/google/", "server/quote.ts"],
    names: server("slices.ts"),
    packages: [protobuf],
    isPortable: true,
  },
  "server/codec/": {
    uses: server("quote.ts", "schema/integer-types.ts"),
    names: server("byte-writer.ts"),
    packages: [protobuf],
    isPortable: true,
  },
  "server/rest/": {
    uses: [...server("codec/", "schema/", "quote.ts"), "gen/google/"],
    packages: [protobuf, connect],
    isPortable: true,
  },
  // A call, and the protocols.
  "server/call/": {
    uses: server(
      "byte-writer.ts",
      "codec/create-message.ts",
      "http/",
      "schema/",
      "dense-set.ts",
      "quote.ts",
      "suggest.ts",
    ),
    names: server("listen/tls.ts"),
    packages: [protobuf, connect],
  },
  "server/rpc/": {
    uses: [...server("call/", "codec/", "http/", "quote.ts"), "gen/google/rpc/"],
    names: server("byte-writer.ts"),
    packages: [protobuf, connect],
  },
  "server/transcode/": {
    uses: server("call/", "codec/", "http/", "rest/", "rpc/", "schema/", "quote.ts"),
    packages: [protobuf, connect],
  },
  "server/reference/": {
    uses: server("call/", "http/", "rpc/"),
    packages: [connect],
    namesPackages: [protobuf],
  },
  // The service told to tools, to generators, to people.
  "server/reflection/": {
    uses: [...server("schema/", "quote.ts", "slices.ts"), "gen/grpc/"],
    packages: [protobuf, connect],
  },
  "server/openapi/": {
    uses: [...server("rest/", "schema/", "slices.ts"), "gen/google/"],
    names: server("call/method.ts"),
    packages: [protobuf],
  },
  "server/pages/": {
    uses: [
      ...server("http/", "openapi/", "pages/browser/", "quote.ts", "rest/", "slices.ts"),
      ...["gen/google/api/", "gen/grpc/"],
    ],
    names: server("call/method.ts"),
    packages: [protobuf],
  },
  "server/pages/browser/": { uses: [], isPortable: true },
  // The process told to operators.
  "server/operate/": {
    uses: [...server("http/", "quote.ts", "whole-number.ts", "within.ts"), "gen/grpc/"],
    names: server("call/", "clock.ts", "listen/"),
    packages: [connect, "pino", "pino-pretty"],
    namesPackages: [protobuf],
  },
  // Interceptors that the engine knows nothing of: who may call, how often, with what.
  "server/interceptors/": {
    uses: [
      ...server("call/context-values.ts", "http/header.ts", "http/peer.ts", "load-package.ts", "quote.ts"),
      ...server("schema/descriptor-index.ts", "suggest.ts", "whole-number.ts", "within.ts"),
      "gen/google/rpc/",
    ],
    names: server("call/method-interceptor.ts"),
    packages: [protobuf, connect, "@bufbuild/protovalidate", "jose"],
  },
  "server/operate/metrics/": {
    uses: server("counters.ts"),
    names: server("call/", "mount/fallback.ts", "server.ts", "stats.ts", "upstream/stats.ts"),
    packages: [connect, "prom-client"],
  },
  "server/operate/tracing/": {
    uses: server("call/context-values.ts", "operate/unexpected.ts"),
    names: server("call/", "http/exchange.ts"),
    packages: [connect, "@opentelemetry/api"],
  },
  // The server in applications of others, and their routes in it.
  "server/mount/": { uses: server("http/") },
  // Calls from inside the process.
  "server/in-process/": {
    uses: server("call/", "mount/fetch.ts", "quote.ts", "rest/error/detail.ts", "rpc/", "schema/"),
    packages: [connect],
    namesPackages: [protobuf],
  },
  // Other servers, whose services are served here.
  "server/upstream/": {
    uses: [
      ...[
        "client/base-url.ts",
        "client/call-settings.ts",
        "client/connections.ts",
        "client/grpc/response.ts",
        "client/method-codec.ts",
      ],
      ...[
        "client/http2/kept-body.ts",
        "client/http2/request-fields.ts",
        "client/jitter.ts",
        "client/tell-deadlines.ts",
        "client/timeout.ts",
        "gen/grpc/",
      ],
      ...server("call/", "clock.ts", "compressions.ts", "deferred.ts", "http/", "http2/", "quote.ts", "rpc/"),
      ...server("schema/", "within.ts"),
    ],
    names: ["client/http2/", "server/operate/health.ts"],
    packages: [protobuf, connect],
  },
  // What brings them together.
  "server/check-options.ts": {
    uses: server("quote.ts", "suggest.ts"),
    names: server("listen/", "openapi/", "operate/", "options.ts", "reload.ts", "transcode/", "upstream/options.ts"),
  },
  "server/compressions.ts": { uses: [], packages: [connectNode], namesPackages: [connect] },
  "server/options.ts": {
    uses: server("compressions.ts", "whole-number.ts"),
    names: server("call/", "http/", "listen/", "mount/", "openapi/", "operate/", "transcode/", "upstream/options.ts"),
    namesPackages: [connect, protobuf],
  },
  "server/dispatch.ts": {
    uses: server("rpc/"),
    names: server(
      ...["call/", "http/exchange.ts", "pages/pages.ts", "transcode/transcoder.ts"],
      ...["upstream/unknown-methods.ts"],
    ),
    namesPackages: [connect],
  },
  "server/surface.ts": {
    uses: server(
      ...["call/method-interceptor.ts", "dispatch.ts", "in-process/", "mount/", "pages/", "reference/", "rpc/"],
      ...["transcode/", "upstream/"],
    ),
    names: server("call/", "http/", "openapi/", "options.ts"),
    namesPackages: [protobuf, connect],
  },
  "server/reload.ts": { uses: [], names: server("openapi/", "options.ts", "upstream/") },
  "server/live-surface.ts": {
    uses: server("call/", "check-options.ts", "reference/", "reload.ts", "surface.ts", "upstream/", "within.ts"),
    names: server("http/", "operate/", "options.ts"),
    packages: [connect],
  },
  "server/stats.ts": { uses: [], names: server("call/", "counters.ts", "listen/", "openapi/", "upstream/") },
  "server/server.ts": {
    uses: [
      ...server(
        "call/",
        "check-options.ts",
        "clock.ts",
        "counters.ts",
        "http/",
        "listen/",
        "live-surface.ts",
        "mount/",
        "openapi/",
        "operate/",
        "options.ts",
        "reference/",
        "reflection/",
        "reload.ts",
        "stats.ts",
        "upstream/tools.ts",
      ),
      "gen/grpc/",
    ],
    names: server("in-process/"),
    packages: [connect],
    namesPackages: [protobuf],
  },
  // The command from code, loaded when it is called.
  "server/run-server.ts": { uses: server("command/run-server.ts"), names: server("options.ts", "server.ts") },
  "server/index.ts": {
    uses: server(
      ...["call/context-values.ts", "call/http-status.ts", "call/response-compression.ts", "compressions.ts"],
      ...["run-server.ts", "server.ts"],
    ),
    names: ["server/"],
    packages: [connect],
  },
  // The program, and the service that it serves: the only ones that know the Greeter.
  "server/greeter.ts": { uses: [], names: ["gen/hello_world_pb.ts"], namesPackages: [connect] },
  "server/command/": {
    uses: [
      ...server(
        "greeter.ts",
        "http/",
        "interceptors/",
        "listen/",
        "load-package.ts",
        "mount/",
        "operate/",
        "options.ts",
      ),
      ...server("clock.ts", "deferred.ts", "pages/", "program/", "quote.ts"),
      ...server(
        "rest/route/rules.ts",
        "server.ts",
        "suggest.ts",
        "upstream/absent-upstream-error.ts",
        "upstream/schema-cache.ts",
        "whole-number.ts",
        "within.ts",
      ),
      "gen/",
    ],
    names: ["server/"],
    packages: [protobuf, "commander", "yaml"],
    namesPackages: [connect, "pino"],
  },
  // The command as a client of servers.
  "server/command/tools/": {
    uses: [
      ...server(
        "command/setting-kinds.ts",
        "command/status/status.ts",
        "program/",
        "schema/",
        "suggest.ts",
        "upstream/reflection-client.ts",
      ),
      ...["client/", "gen/google/api/", "gen/grpc/health/"],
    ],
    packages: [protobuf, connect, "commander"],
  },
  "server/main.ts": { uses: server("command/", "operate/") },
  // The client, which shares nothing with the server but the reading and writing of REST.
  "client/command.ts": {
    uses: ["client/", "server/program/", "gen/hello_world_pb.ts"],
    packages: [connect, "commander"],
  },
  "client/tls-files.ts": { uses: ["client/", "server/program/"], packages: ["commander"] },
  "client/failure.ts": { uses: ["client/", "server/program/"], packages: [connect, "commander"] },
  "client/main.ts": { uses: ["client/command.ts"] },
  // What bundles for browsers have of it.
  "client/browser.ts": {
    uses: ["client/browser/", "client/option-error.ts", "client/wait-for-ready.ts"],
    names: ["client/transport.ts"],
    packages: [connect],
    isPortable: true,
  },
  "client/browser/": {
    uses: [
      ...[
        "client/defined.ts",
        "client/learn-types.ts",
        "client/option-error.ts",
        "client/rest-transport.ts",
        "client/timeout.ts",
      ],
      "client/without-bidi.ts",
      ...server("codec/json-facts.ts", "codec/values.ts", "schema/"),
    ],
    names: ["client/transport.ts", "server/codec/"],
    packages: [protobuf, connect],
    isPortable: true,
  },
  // What is the same for every protocol.
  "client/call-init.ts": { uses: [], packages: [connect], namesPackages: [protobuf], isPortable: true },
  "client/rest-": {
    uses: [
      "client/call-init.ts",
      "client/option-error.ts",
      "client/timeout.ts",
      ...server("codec/json-facts.ts", "rest/"),
    ],
    names: ["client/call-settings.ts", "server/codec/"],
    packages: [protobuf, connect],
    isPortable: true,
  },
  "client/wait-for-ready.ts": { uses: [], packages: [connect], isPortable: true },
  "client/learn-types.ts": {
    uses: ["server/schema/"],
    names: ["client/rest-method.ts"],
    packages: [protobuf, connect],
    isPortable: true,
  },
  "client/without-bidi.ts": { uses: [], packages: [connect], isPortable: true },
  "client/defined.ts": { uses: [], isPortable: true },
  "client/option-error.ts": { uses: [], isPortable: true },
  "client/timeout.ts": {
    uses: ["client/option-error.ts"],
    packages: [connect],
    namesPackages: [protobuf],
    isPortable: true,
  },
  // Calls that are sent again when they have failed.
  "client/jitter.ts": { uses: [], isPortable: true },
  "client/retry/": { uses: ["client/jitter.ts", "client/timeout.ts"], packages: [connect] },
  "client/": {
    uses: ["client/", "server/codec/", "server/http2/", "server/quote.ts", "server/rest/", "server/schema/"],
    packages: [protobuf, connect, connectNode, "commander"],
  },
};

interface Import {
  readonly from: string;
  /** A file of ours, `node:…`, or the name of a package. */
  readonly to: string;
  readonly isType: boolean;
}

const root = join(import.meta.dirname, "..");
const files = ["server", "client", "gen"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file).replaceAll("\\", "/")),
);
const statement = /^(?:import|export)\s(type\s)?(?:[\w*{][^;"]*?\sfrom\s)?"([^"]+)"/gm;
const call = /\bimport\(\s*"([^"]+)"\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = [...text.matchAll(statement)].map(([, type, to = ""]) => ({ to, isType: type !== undefined }));
  const dynamic = [...text.matchAll(call)].map(([, to = ""]) => ({ to, isType: false }));
  return [...found, ...dynamic].map(({ to, isType }) => ({ from: file, to: resolve(file, to), isType }));
}

function resolve(from: string, to: string): string {
  if (to.startsWith("."))
    return normalize(join(dirname(from), to))
      .replaceAll("\\", "/")
      .replace(/\.js$/, ".ts");
  return to.startsWith("node:") ? to : to.split("/", to.startsWith("@") ? 2 : 1).join("/");
}

function partOf(file: string): string | undefined {
  const names = Object.keys(map).filter((name) => file.startsWith(name));
  return names.sort((a, b) => b.length - a.length)[0];
}

/** Files of tests and their helpers, by their paths inside `test/`. */
const testFiles = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /\.[jt]s$/.test(file) && !file.startsWith("gen/") && !file.includes("node_modules/"));

/** The folder whose tests belong together: `unit/rest/`, `judges/npm/`, `bench/`. */
function testAreaOf(file: string): string {
  const [first = "", ...rest] = dirname(file).split("/");
  return ["unit", "judges", "behaviour"].includes(first) ? `${first}/${rest[0] ?? ""}` : `${first}/`;
}

const isFile = (to: string) => to.endsWith(".ts");
const isBuiltin = (to: string) => to.startsWith("node:");
const show = ({ from, to, isType }: Import) => `${from} imports ${isType ? "types of " : ""}${to}`;

function isOnMap({ from, to, isType }: Import): boolean {
  const name = partOf(from);
  if (name === undefined || name === partOf(to)) return name !== undefined;
  const { uses, names = [], packages = [], namesPackages = [], isPortable = false } = map[name] as Part;
  if (isBuiltin(to)) return !isPortable;
  if (!isFile(to)) return packages.includes(to) || (isType && namesPackages.includes(to));
  return [...uses, ...(isType ? names : [])].some((part) => to.startsWith(part));
}

const imports = files.flatMap(importsOf);

describe("the source tree", () => {
  test("is read as a whole", () => {
    expect(files.length).toBeGreaterThan(80);
    expect(imports.filter(({ to }) => isFile(to)).length).toBeGreaterThan(files.length);
    expect(imports.filter(({ to }) => isFile(to) && !existsSync(join(root, to))).map(show)).toEqual([]);
  });

  test("is on the map, and the map is of it", () => {
    expect(files.filter((file) => partOf(file) === undefined)).toEqual([]);
    expect(Object.keys(map).filter((name) => !files.some((file) => partOf(file) === name))).toEqual([]);
  });

  test("has imports only where the map has a way", () => {
    expect(imports.filter((one) => !isOnMap(one)).map(show)).toEqual([]);
  });

  test("has no cycle of imports", () => {
    const graph = new Map(
      files.map((file) => [
        file,
        new Set(
          importsOf(file)
            .map(({ to }) => to)
            .filter(isFile),
        ),
      ]),
    );
    // Files that import nothing that is left cannot be in a cycle. What stays when no more can go is cycles.
    for (let size = -1; size !== graph.size; ) {
      size = graph.size;
      for (const [file, targets] of graph) if (![...targets].some((target) => graph.has(target))) graph.delete(file);
    }
    expect([...graph.keys()]).toEqual([]);
  });

  test("keeps helpers that tests of several folders use in test/support", () => {
    const imports = testFiles.flatMap((file) => importsOf(join("test", file)));
    const targets = imports.flatMap(({ from, to }) => {
      const isOfTests =
        to.startsWith("test/") && [to, to.replace(/ts$/, "js")].some((one) => existsSync(join(root, one)));
      return isOfTests ? [{ from: from.slice("test/".length), to: to.slice("test/".length) }] : [];
    });
    expect(targets.length).toBeGreaterThan(testFiles.length);
    const strays = targets.filter(
      ({ from, to }) => !["support/", "gen/", testAreaOf(from)].some((area) => to.startsWith(area)),
    );
    expect(strays.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("mentions the Greeter nowhere in the engine", () => {
    const hosts = [
      "server/greeter.ts",
      "server/main.ts",
      "server/command/",
      "client/command.ts",
      "gen/hello_world_pb.ts",
    ];
    const engine = files.filter((file) => !hosts.some((host) => file.startsWith(host)));
    const mentions = engine.filter((file) => /hello_world|\/greeter\.js"/.test(codeOf(file)));
    expect(mentions).toEqual([]);
  });

  test("writes to no console, but for unexpected errors and the program that a page has to copy", () => {
    const talkers = files.filter((file) => /\bconsole\s*\./.test(codeOf(file)));
    expect(talkers).toEqual(["server/operate/unexpected.ts", "server/pages/browser/lines.ts"]);
  });
});

/** The text of a file without its comments. */
function codeOf(file: string): string {
  return readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/\s.*$/gm, "");
}
