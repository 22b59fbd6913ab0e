// The server that foreign clients call: the Greeter and the test service, behind each lane, with and without TLS.
import { fileURLToPath } from "node:url";
import { Code, ConnectError, createContextValues, type Interceptor } from "@connectrpc/connect";
import { onTestFinished } from "vitest";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { Greeter } from "../../gen/hello_world_pb.js";
import { greeter } from "../../server/greeter.js";
import { createServer, type FinishedCall, type Server, type ServerOptions } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { authority, serverIdentity } from "./certificates.js";
import { SeenCalls } from "./seen-calls.js";
import { createTestService } from "./service.js";

export type Lane = "fast" | "reference";
export type Security = "plaintext" | "TLS" | "mutual TLS";

export interface TargetOptions {
  lane: Lane;
  security: Security;
  /** Default: any free one. */
  port?: number;
  /** Path of a Unix socket, instead of a port. */
  path?: string;
  /** Age at which connections end. */
  maxConnectionAgeMs?: number;
}

/** Lane × plaintext or TLS, with a name for the titles of tests. */
export const targets: readonly [string, TargetOptions][] = (["fast", "reference"] as const).flatMap((lane) =>
  (["plaintext", "TLS"] as const).map((security): [string, TargetOptions] => [
    `${lane} lane, ${security}`,
    { lane, security },
  ]),
);

/** Where the certificates of a client lie, for programs that want files. */
export const certificateFiles = {
  authority: certificateFile("authority"),
  client: certificateFile("client"),
  clientKey: certificateFile("client-key"),
};

function certificateFile(name: string): string {
  return fileURLToPath(new URL(`./certificates/${name}.pem`, import.meta.url));
}

/** A running server. */
export interface Target {
  readonly server: Server;
  /** `http://127.0.0.1:1234`, `https://…` or `unix:…`. */
  readonly url: string;
  /** `127.0.0.1:1234` */
  readonly authority: string;
  /** The calls that have ended, in the order of their ends. */
  readonly finished: readonly FinishedCall[];
  readonly seen: SeenCalls;
  /** Ports of the clients' sides of all connections that calls came on. */
  readonly peers: ReadonlySet<number | undefined>;
}

/** The caller closes its server. */
export async function startTarget(options: TargetOptions): Promise<Target> {
  const finished: FinishedCall[] = [];
  const seen = new SeenCalls();
  const peers = new Set<number | undefined>();
  const server: Server = createServer({
    routes: (router) => {
      router.service(Greeter, greeter);
      router.service(TestService, createTestService(seen));
    },
    interceptors: [obeyHeaders(() => server)],
    host: "127.0.0.1",
    onCall: (call) => finished.push(call),
    drainTimeoutMs,
    contextValues: ({ socket }) => {
      peers.add(socket.remotePort);
      return createContextValues();
    },
    limits: { idleGraceMs: 10, maxConnectionAgeMs: options.maxConnectionAgeMs },
    // Foreign clients are to read compressed responses, over gRPC too.
    compressResponses: true,
    fastLane: options.lane === "fast",
    ...addressOf(options),
    ...tlsOf(options.security),
  });
  await server.listen();
  const { url } = server;
  return { server, url, authority: url.slice(url.indexOf("//") + 2), finished, seen, peers };
}

/** Longer than any call takes that a test leaves behind. */
const drainTimeoutMs = 4000;

/** A server that is closed after the test, which fails if a call is then still under way. */
export async function startTargetForTest(options: TargetOptions): Promise<Target> {
  const target = await startTarget(options);
  onTestFinished(async () => {
    const start = performance.now();
    await target.server.close();
    if (performance.now() - start >= drainTimeoutMs) throw new Error("a call or a connection did not end by itself");
  });
  return target;
}

function addressOf({ port = 0, path }: TargetOptions): Partial<ServerOptions> {
  return path === undefined ? { port } : { path };
}

function tlsOf(security: Security): Partial<ServerOptions> {
  if (security === "plaintext") return {};
  return { tls: security === "TLS" ? serverIdentity : { ...serverIdentity, ca: authority } };
}

/**
 * What a client in another process can ask of the server with request headers:
 *
 * - `x-attempts: 2` fails with `unavailable` until the client's library has tried the call again twice;
 * - `x-health: a.b.C=NOT_SERVING` sets a status;
 * - `x-fail: 5` fails with that code, and a detail; `x-fail: 5 bare` with a detail that has nothing in it.
 */
function obeyHeaders(server: () => Server): Interceptor {
  return (next) => async (request) => {
    const attempts = Number(request.header.get("grpc-previous-rpc-attempts") ?? 0);
    if (attempts < Number(request.header.get("x-attempts") ?? 0)) {
      throw new ConnectError(`${attempts} attempts before this one`, Code.Unavailable);
    }
    const [service = "", status] = request.header.get("x-health")?.split("=") ?? [];
    if (status === "SERVING" || status === "NOT_SERVING") server().health.set(service, status);
    const [code = "0", isBare] = request.header.get("x-fail")?.split(" ") ?? [];
    if (code !== "0") {
      const value = isBare ? {} : { reason: "WANTED", domain: "manywire.test", metadata: { by: "a header" } };
      throw new ConnectError(`wanted: ${code} %`, Number(code), undefined, [{ desc: ErrorInfoSchema, value }]);
    }
    return next(request);
  };
}
