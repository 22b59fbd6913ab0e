// Who judges the port: what others wrote, its version, and which of our tests let it do so.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * @typedef {object} Judge
 * @property {string} name
 * @property {() => string} version
 * @property {string} calls what it does here, in short
 * @property {Tests | Conformance} from where its results are
 * @property {boolean} [isByHand] whether the gate runs a part of it only
 *
 * @typedef {{ kind: "tests", files: string[], title?: string }} Tests files, and how the titles of its suites begin in them
 * @typedef {{ kind: "conformance", subject: string }} Conformance
 */

const generatorsFile = "test/judges/interop/openapi/generators.interop.ts";

/** @type {Judge[]} */
export const judges = [
  suite("our server", "fast"),
  { ...suite("our server, on Connect's own handlers", "reference"), isByHand: true },
  { ...suite("our server as a proxy before the suite's own", "proxy"), isByHand: true },
  suite("our client", "client"),
  ...["grpc", "grpc-web", "connect", "connect-json"].map((front) =>
    suite(`our proxy before servers that misbehave, called by ${front}`, `proxy-client-${front}`),
  ),
  protobufSuite("our codec: binary, JSON", "compiled"),
  protobufSuite("our codec where it makes no code: binary, JSON", "plans"),
  interop(
    "grpcurl",
    inFile("test/judges/interop/tools.ts", /grpcurl@v([\d.]+)/),
    "gRPC; reflection, health",
    "grpcurl",
  ),
  interop("grpc-go", goModule("google.golang.org/grpc"), "gRPC; reflection, health", "go"),
  interop(
    "grpc-gateway",
    goModule("github.com/grpc-ecosystem/grpc-gateway/v2"),
    "in front of the port, with the same REST responses as the port itself",
    "gateway",
  ),
  interop("Python's grpcio", python("grpcio"), "gRPC, also with asyncio; reflection, health", "grpcio"),
  interop("Python's grpcio", python("grpcio"), "behind our proxy, with reflection and without", "upstreams"),
  runtime("Bun", "bun", "serves by `server.fetch`"),
  runtime("Deno", "deno", "serves by `server.fetch`"),
  runtime("Cloudflare Workers", "workerd", "serves by `server.fetch`"),
  runtime("Next", "next", "serves by `server.fetch`"),
  runtime("Nest", "@nestjs/core", "serves by `server.handler`"),
  interop(
    "HAProxy",
    program("haproxy", "-v"),
    "in front of two servers, one of which ends under load",
    "proxies",
    "HAProxy",
  ),
  interop("nginx", program("nginx", "-v"), "in front of two servers, one of which ends under load", "proxies", "nginx"),
  foreign("@grpc/grpc-js", "gRPC; reflection, health", ["grpc-js", "grpc-js-connections"]),
  foreign("nice-grpc", "gRPC", ["nice-grpc"]),
  foreign("@protobuf-ts/grpcweb-transport", "gRPC-Web, binary and text", ["protobuf-ts"]),
  foreign("grpc-web", "gRPC-Web, binary and text, in Node", ["grpc-web"]),
  {
    name: "grpc-web in Chromium",
    version: npm("grpc-web"),
    calls: "gRPC-Web, binary and text",
    from: { kind: "tests", files: ["test/judges/browser/grpc-web.browser.ts"] },
  },
  {
    name: "connect-web in Chromium",
    version: npm("@connectrpc/connect-web"),
    calls: "Connect, gRPC-Web, from another origin; with grpc-web, `fetch` and EventSource",
    from: { kind: "tests", files: ["test/judges/browser/cors.browser.ts"] },
  },
  { ...foreign("buf curl", "Connect, gRPC, gRPC-Web", ["buf-curl"]), version: npm("@bufbuild/buf") },
  {
    ...foreign("curl", "Connect, over HTTP/1.0, HTTP/1.1 and HTTP/2", ["curl"]),
    version: program("curl", "--version"),
  },
  transcoded("google-gax", "REST"),
  transcoded("eventsource", "REST, as server-sent events"),
  {
    name: "openapi-typescript, openapi-fetch",
    version: inFile("test/judges/interop/openapi/package.json", /"openapi-typescript": "([\d.]+)"/),
    calls: "REST and Connect, by types made from our OpenAPI documents",
    from: { kind: "tests", files: ["test/judges/interop/openapi/typed-client.interop.ts"] },
  },
  generator(
    "@hey-api/openapi-ts",
    inFile("test/judges/interop/openapi/package.json", /"@hey-api\/openapi-ts": "([\d.]+)"/),
    "TypeScript",
  ),
  generator("openapi-python-client", inFile(generatorsFile, /openapi-python-client==([\d.]+)/), "Python"),
  generator("oapi-codegen", inFile(generatorsFile, /oapi-codegen@v([\d.]+)/), "Go"),
  // Needs a JDK and Maven, which the gate does not install.
  { ...generator("openapi-generator", inFile(generatorsFile, /generator-cli:([\d.]+)/), "Java"), isByHand: true },
];

/**
 * @param {string} name
 * @param {string} module its npm package
 * @param {string} calls
 */
function runtime(name, module, calls) {
  const version = inFile("test/judges/interop/runtimes/package.json", new RegExp(`"${module}": "([\\d.]+)"`));
  return interop(name, version, calls, "runtimes", name);
}

/**
 * @param {string} judged
 * @param {string} subject
 * @returns {Judge}
 */
function suite(judged, subject) {
  const version = inFile("test/judges/conformance/setup.js", /suiteVersion = "v([\d.]+)"/);
  const calls = `${judged}: Connect, gRPC, gRPC-Web`;
  return { name: "Connect conformance suite", version, calls, from: { kind: "conformance", subject } };
}

/**
 * @param {string} calls
 * @param {string} subject
 * @returns {Judge}
 */
function protobufSuite(calls, subject) {
  const version = inFile("test/judges/protobuf/setup.js", /suiteVersion = "([\d.]+)"/);
  return { name: "Protobuf conformance suite", version, calls, from: { kind: "conformance", subject } };
}

/**
 * @param {string} name
 * @param {() => string} version
 * @param {string} calls
 * @param {string} file
 * @param {string} [title]
 * @returns {Judge}
 */
function interop(name, version, calls, file, title) {
  const files = [`test/judges/interop/${file}.interop.ts`];
  return { name, version, calls, from: { kind: "tests", files, ...(title && { title }) } };
}

/**
 * @param {string} name
 * @param {string} calls
 * @param {string[]} files
 * @returns {Judge}
 */
function foreign(name, calls, files) {
  const paths = files.map((file) => `test/judges/npm/${file}.test.ts`);
  return { name, version: npm(name), calls, from: { kind: "tests", files: paths } };
}

/**
 * @param {string} name of the package, with which its suites begin
 * @param {string} calls
 * @returns {Judge}
 */
function transcoded(name, calls) {
  const files = ["test/unit/transcode/foreign.test.ts"];
  return { name, version: npm(name), calls, from: { kind: "tests", files, title: name } };
}

/**
 * @param {string} name of the generator, with which its suite begins
 * @param {() => string} version
 * @param {string} language of the client
 * @returns {Judge}
 */
function generator(name, version, language) {
  const calls = `REST, by a client in ${language} made from our OpenAPI document`;
  return { name, version, calls, from: { kind: "tests", files: [generatorsFile], title: name } };
}

/** @param {string} name of a package of npm */
function npm(name) {
  return () => JSON.parse(read(`node_modules/${name}/package.json`)).version;
}

/** @param {string} path of a module of Go */
function goModule(path) {
  return inFile("test/judges/interop/go/go.mod", new RegExp(`^\\s${path.replaceAll(".", "\\.")} v(\\S+)`, "m"));
}

/** @param {string} name of a package of Python */
function python(name) {
  return inFile("test/judges/interop/requirements.txt", new RegExp(`^${name}==(\\S+)`, "m"));
}

/**
 * @param {string} path
 * @param {RegExp} pattern whose first group is the version
 */
function inFile(path, pattern) {
  return () => pattern.exec(read(path))?.[1] ?? fail(`${path}: expected ${pattern}, found nothing`);
}

/**
 * @param {string} command on the PATH
 * @param {string} option with which it tells its version
 */
function program(command, option) {
  return () => {
    const { stdout, stderr } = spawnSync(command, [option], { encoding: "utf8" });
    return (
      /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? fail(`${command} ${option}: expected a version, found none`)
    );
  };
}

/** @param {string} path from the root */
function read(path) {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
}

/** @param {string} message @returns {never} */
function fail(message) {
  throw new Error(message);
}
