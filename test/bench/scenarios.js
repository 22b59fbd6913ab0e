// What is measured: one entry per shape of traffic, with the ratios that manywire holds itself to.
import { shelves } from "./books.js";

/** @typedef {"grpc" | "grpc-web" | "connect-proto" | "connect-json" | "rest"} Protocol */
/** @typedef {import("./peers/names.js").PeerName} PeerName */
/** @typedef {import("./record-headers.js").ClientName} ClientName */

/**
 * @typedef {object} Load
 * @property {"h2load" | "wrk" | "ping-pong"} tool
 * @property {number} connections
 * @property {number} streams calls at the same time on each connection
 */

/**
 * @typedef {object} Scenario
 * @property {string} name as on the command line
 * @property {string} title
 * @property {Protocol} protocol
 * @property {string} method "package.Service/Method"
 * @property {string} [path] where it is not that of the method
 * @property {Record<string, unknown>[]} requests the messages of one call
 * @property {Record<string, unknown>[]} replies the expected replies
 * @property {ClientName} [client] whose headers the requests have, beside those of the protocol; none if absent
 * @property {Record<string, string>} [headers] further ones
 * @property {Record<string, string>} [replyHeaders] that the response must have
 * @property {boolean} [isTls]
 * @property {boolean} [hasInterceptors]
 * @property {boolean} [isOptional] skipped, with a note, where the path is not found
 * @property {Load} load
 * @property {import("./peers/foreign.js").ForeignName} [upstream] a server that the peers are proxies of
 * @property {"server" | "load"} [upstreamSide] whose core it has; that of the load if absent
 * @property {PeerName[]} peers
 * @property {number} [unitsPerCall] how often a call counts; 1 if absent
 * @property {string} [unit] what is counted; "calls" if absent
 * @property {Partial<Record<PeerName, number>>} goals the least that the fast lane's rate ÷ the peer's is to be
 * @property {Partial<Record<PeerName, number>>} [cpuGoals] the most that the fast lane's processor time ÷ the peer's is to be
 */

const messages = 1000;
const pings = 1000;

const sayHello = {
  method: "hello_world.Greeter/SayHello",
  requests: [{ name: "you" }],
  replies: [{ message: "Hello, you!" }],
};
const notes = Array.from({ length: messages }, (_, index) => ({ text: "a small message", index: index + 1 }));
const blob = { data: new Uint8Array(1024 * 1024).fill(0x5a) };

/** Peers that speak gRPC. @type {PeerName[]} */
const grpcPeers = ["fast", "reference", "connect-node", "grpc-js", "grpc-go", "connect-go", "tonic", "floor"];
/** Peers that speak Connect and gRPC-Web. @type {PeerName[]} */
const connectPeers = ["fast", "reference", "connect-node", "connect-go", "vanguard-go", "floor"];
/** Peers that speak REST. @type {PeerName[]} */
const restPeers = ["fast", "vanguard-go", "grpc-gateway", "grpc-gateway-python", "proxy-python", "floor"];

/** @type {(connections: number, streams: number) => Load} */
const h2load = (connections, streams) => ({ tool: "h2load", connections, streams });
/** @type {Load} */
const wrk = { tool: "wrk", connections: 16, streams: 1 };

/** Small messages, one large one, and streams. @type {Scenario[]} */
const shapes = [
  {
    name: "grpc-unary",
    title: "gRPC unary, 4 connections × 32 streams",
    protocol: "grpc",
    client: "grpc-js",
    ...sayHello,
    load: h2load(4, 32),
    peers: [...grpcPeers, "vanguard-go"],
    goals: { "connect-node": 35, "grpc-js": 6, floor: 3.8 },
    cpuGoals: { "grpc-go": 0.55, tonic: 1.3 },
  },
  {
    name: "grpc-unary-single",
    title: "gRPC unary, 1 connection × 1 stream",
    protocol: "grpc",
    client: "grpcio",
    ...sayHello,
    load: h2load(1, 1),
    peers: grpcPeers,
    goals: { "connect-node": 10, "grpc-js": 1.9, floor: 1.6 },
    cpuGoals: { "grpc-go": 0.9, tonic: 1.4 },
  },
  {
    name: "connect-json",
    title: "Connect JSON, HTTP/1.1, 16 connections",
    protocol: "connect-json",
    client: "connect-web",
    ...sayHello,
    load: wrk,
    peers: connectPeers,
    goals: { "connect-node": 7, floor: 0.6 },
  },
  {
    name: "connect-binary",
    title: "Connect binary, HTTP/1.1, 16 connections",
    protocol: "connect-proto",
    client: "connect-web",
    ...sayHello,
    load: wrk,
    peers: connectPeers,
    goals: { "connect-node": 7, floor: 0.6 },
  },
  {
    name: "grpc-web",
    title: "gRPC-Web binary, HTTP/1.1, 16 connections",
    protocol: "grpc-web",
    client: "grpc-web",
    ...sayHello,
    load: wrk,
    peers: connectPeers,
    goals: { "connect-node": 6, floor: 0.55 },
  },
  {
    name: "rest",
    title: "REST POST, HTTP/1.1, 16 connections",
    protocol: "rest",
    client: "fetch",
    ...sayHello,
    path: "/v1/example/echo",
    isOptional: true,
    load: wrk,
    peers: restPeers,
    goals: { floor: 0.5 },
  },
  {
    name: "connect-json-http2",
    title: "Connect JSON, HTTP/2, 4 connections × 32 streams",
    protocol: "connect-json",
    client: "connect-web",
    ...sayHello,
    load: h2load(4, 32),
    peers: connectPeers,
    goals: { floor: 3 },
  },
  {
    name: "rest-http2",
    title: "REST POST, HTTP/2, 4 connections × 32 streams",
    protocol: "rest",
    client: "curl",
    ...sayHello,
    path: "/v1/example/echo",
    isOptional: true,
    load: h2load(4, 32),
    peers: restPeers,
    goals: { floor: 3 },
  },
  {
    name: "grpc-server-stream",
    title: `gRPC server stream, ${messages.toLocaleString("en-US")} small messages, 4 connections × 4 streams`,
    protocol: "grpc",
    client: "grpc-go",
    method: "manywire.bench.v1.BenchService/Download",
    requests: [{ number: messages }],
    replies: notes,
    load: h2load(4, 4),
    peers: grpcPeers,
    unitsPerCall: messages,
    unit: "messages",
    goals: { "connect-node": 20, "grpc-js": 10, floor: 0.15 },
  },
  {
    name: "grpc-client-stream",
    title: `gRPC client stream, ${messages.toLocaleString("en-US")} small messages, 4 connections × 4 streams`,
    protocol: "grpc",
    client: "grpc-go",
    method: "manywire.bench.v1.BenchService/Upload",
    requests: notes,
    replies: [{ number: messages }],
    load: h2load(4, 4),
    peers: grpcPeers,
    unitsPerCall: messages,
    unit: "messages",
    goals: { "connect-node": 4, "grpc-js": 1.5 },
  },
  {
    name: "grpc-bidi",
    title: `gRPC bidi, ping-pong, ${pings.toLocaleString("en-US")} a call, 4 connections × 1 stream`,
    protocol: "grpc",
    client: "grpc-go",
    method: "manywire.bench.v1.BenchService/PingPong",
    requests: notes.slice(0, 1),
    replies: notes.slice(0, 1),
    load: { tool: "ping-pong", connections: 4, streams: 1 },
    peers: grpcPeers,
    unitsPerCall: pings,
    unit: "round trips",
    goals: { "connect-node": 4, "grpc-js": 2, floor: 1.7 },
  },
  {
    name: "grpc-large",
    title: "gRPC unary, 1 MiB each way, 4 connections × 2 streams",
    protocol: "grpc",
    client: "grpc-go",
    method: "manywire.bench.v1.BenchService/Echo",
    requests: [blob],
    replies: [blob],
    load: h2load(4, 2),
    peers: grpcPeers,
    goals: { "connect-node": 2, "grpc-js": 1.6, floor: 1 },
  },
  {
    name: "grpc-tls",
    title: "gRPC unary over TLS, 4 connections × 32 streams",
    protocol: "grpc",
    client: "grpc-js",
    ...sayHello,
    isTls: true,
    load: h2load(4, 32),
    peers: grpcPeers,
    goals: { "connect-node": 30, "grpc-js": 5.5, floor: 4 },
  },
  {
    name: "grpc-interceptors",
    title: "gRPC unary, two interceptors, a deadline, three metadata entries, 4 connections × 32 streams",
    protocol: "grpc",
    client: "grpc-js",
    ...sayHello,
    hasInterceptors: true,
    headers: {
      "grpc-timeout": "10S",
      authorization: "Bearer bench",
      "x-request-id": "4711",
      "x-tenant": "blue",
    },
    replyHeaders: { "x-request-id": "4711" },
    load: h2load(4, 32),
    peers: grpcPeers,
    goals: { "connect-node": 15, "grpc-js": 3.3, floor: 2.2 },
  },
];

/** Calls that send no headers but those of the protocol, to compare with. @type {Scenario[]} */
const bare = shapes
  .filter(({ name }) => ["grpc-unary", "connect-json", "rest"].includes(name))
  .map(({ client: _, ...scenario }) => ({
    ...scenario,
    name: `${scenario.name}-bare`,
    title: `${scenario.title}, without the headers of real clients`,
    goals: {},
    cpuGoals: {},
  }));

/**
 * Where load and upstream on one core would be the limit: a proxy that waits for them passes many small reads, one after the
 * other, and its processor time tells how often it was woken.
 * @type {Pick<Scenario, "upstreamSide">}
 */
const besideProxy = { upstreamSide: "server" };

/** Calls through a proxy. Those that pass take what they cost directly, and what is measured here. @type {Scenario[]} */
const proxied = [
  { name: "grpc-unary", peers: ["vanguard-go"], cpuGoals: { "vanguard-go": 0.2 } },
  { name: "grpc-server-stream", peers: ["vanguard-go"], cpuGoals: { "vanguard-go": 0.5 }, ...besideProxy },
  { name: "grpc-client-stream", peers: ["vanguard-go"], cpuGoals: { "vanguard-go": 0.5 }, ...besideProxy },
  { name: "grpc-large", peers: ["vanguard-go"] },
  { name: "grpc-web", peers: ["vanguard-go", "grpcwebproxy"] },
  { name: "connect-binary", peers: ["vanguard-go"] },
  { name: "connect-json", peers: ["vanguard-go"] },
  { name: "rest", peers: ["vanguard-go", "grpc-gateway"], cpuGoals: { "grpc-gateway": 0.5 } },
].map(({ name, peers, cpuGoals = {}, ...sides }) => {
  const shape = /** @type {Scenario} */ (shapes.find((each) => each.name === name));
  return /** @type {Scenario} */ ({
    ...shape,
    ...{ name: `proxy-${name}`, title: `${shape.title}, through a proxy`, upstream: "tonic" },
    ...{ peers: ["fast", ...peers], goals: {}, cpuGoals, ...sides },
  });
});

/** @typedef {Pick<Scenario, "protocol" | "client" | "path" | "load" | "peers"> & { name: string, title: string }} Way */

/** How real messages are sent. @type {Way[]} */
const ways = [
  { name: "grpc", title: "gRPC", protocol: "grpc", client: "grpc-js", load: h2load(4, 32), peers: grpcPeers },
  {
    ...{ name: "connect-binary", title: "Connect binary, HTTP/1.1", protocol: "connect-proto" },
    ...{ client: "connect-web", load: wrk, peers: connectPeers },
  },
  {
    ...{ name: "connect-json", title: "Connect JSON, HTTP/1.1", protocol: "connect-json" },
    ...{ client: "connect-web", load: wrk, peers: connectPeers },
  },
  {
    ...{
      name: "rest",
      title: "REST POST, HTTP/1.1",
      protocol: "rest",
      path: "/v1/shelves:echo",
      client: "fetch",
      load: wrk,
    },
    peers: restPeers.filter((name) => !name.endsWith("-python")),
  },
];

/** @type {Record<string, Pick<Scenario, "goals" | "cpuGoals">>} */
const realGoals = { "grpc-2kb": { goals: { "grpc-js": 3 }, cpuGoals: { "grpc-go": 1.3 } } };

/** A shelf of books as request and response, in each way and size. @type {Scenario[]} */
const real = ways.flatMap(({ name, title, ...way }) =>
  Object.entries(shelves).map(([size, shelf]) => {
    const full = `${name}-${size.replace(" ", "").toLowerCase()}`;
    return {
      ...{ name: full, title: `${title}, books of ${size}`, method: "manywire.bench.v1.BenchService/EchoShelf" },
      ...way,
      ...{ requests: [shelf], replies: [shelf], goals: {}, ...realGoals[full] },
    };
  }),
);

export const scenarios = [...shapes, ...bare, ...real, ...proxied];
