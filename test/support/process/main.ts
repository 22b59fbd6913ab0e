// A server as a process of its own, so that a crash is a crash and its memory is the server's alone. It tells how it is when
// its parent asks, and ends by itself once it is closed and nothing is left.
import type { Router, ServerOptions } from "../../../server/index.js";
import { createServer } from "../../../server/index.js";
import { BulkService } from "../../gen/manywire/test/limits/v1/bulk_pb.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { bytesService } from "../bytes-service.js";
import type { ChildUpstream } from "./child.js";
import { watchMemory } from "./memory.js";
import { rudeCompressions } from "./rude-compressions.js";
import { countsOf, createBulkService, createBytesService, createRudeService, rudeInterceptor } from "./service.js";
import { watchSockets } from "./sockets.js";

/** What the parent asks for. */
export type Question = { kind: "mark" } | { kind: "report" } | { kind: "close" };

/** How the server is. */
export interface Report {
  /** Open sockets that were accepted. */
  readonly sockets: number;
  /** Handlers of the test service that were called, and that have not come to their end. */
  readonly calls: number;
  readonly running: number;
  /** Calls that the observer has seen. */
  readonly finished: number;
  /** Messages of the errors that accepting connections has had. */
  readonly acceptErrors: readonly string[];
  /** Memory in use after everything unused was thrown away, in bytes. */
  readonly heldBytes: number;
  /** The most memory in use since the last mark, garbage included, in bytes. */
  readonly peakBytes: number;
  /** Processor time since the last mark, the garbage collector's included, in milliseconds. */
  readonly cpuMs: number;
}

/** Messages to the parent. */
export type Answer =
  | { kind: "listening"; url: string }
  | { kind: "marked" }
  | { kind: "report"; report: Report }
  | { kind: "closed"; tookMs: number; report: Report };

const {
  hasInterceptors = false,
  hasRudeCallbacks = false,
  upstreams,
  ...options
} = JSON.parse(process.argv[2] ?? "{}") as Omit<Partial<ServerOptions>, "upstreams"> & {
  hasInterceptors?: boolean;
  hasRudeCallbacks?: boolean;
  upstreams?: readonly ChildUpstream[];
};
const memory = watchMemory();
const sockets = watchSockets();
let cpuMark = process.cpuUsage();
let finished = 0;
const acceptErrors: string[] = [];
const server = createServer({
  port: 0,
  ...options,
  ...(hasRudeCallbacks && { acceptCompression: rudeCompressions, compressMinBytes: 0, compressResponses: true }),
  interceptors: hasInterceptors ? [rudeInterceptor] : [],
  routes: upstreams === undefined ? registerServices : () => {},
  ...(upstreams && { upstreams: upstreams.map(readUpstream) }),
  onCall: () => {
    finished++;
    if (hasRudeCallbacks) throw new Error("secret");
  },
  onConnectionError: ({ message }, step) => {
    if (step === "accept") acceptErrors.push(message);
    if (hasRudeCallbacks && step !== "observer") throw new Error("secret");
  },
});
await server.listen();

process.on("message", async (question: Question) => {
  if (question.kind === "mark") {
    memory.mark();
    cpuMark = process.cpuUsage();
    tell({ kind: "marked" });
  } else if (question.kind === "report") {
    tell({ kind: "report", report: await report() });
  } else {
    await close();
  }
});
// As the command does.
process.once("SIGTERM", close);
tell({ kind: "listening", url: server.url });

function registerServices(router: Router): void {
  router
    .service(TestService, createRudeService())
    .service(bytesService, createBytesService() as never)
    .service(BulkService, createBulkService());
}

function readUpstream({ schema, ...upstream }: ChildUpstream) {
  return { ...upstream, descriptorSet: Buffer.from(schema, "base64") };
}

async function report(): Promise<Report> {
  const { user, system } = process.cpuUsage(cpuMark);
  const heldBytes = await memory.held();
  const cpuMs = (user + system) / 1000;
  return { sockets: sockets.size, ...countsOf(), finished, acceptErrors, heldBytes, peakBytes: memory.peak(), cpuMs };
}

async function close(): Promise<void> {
  const startMs = performance.now();
  await server.close();
  const tookMs = performance.now() - startMs;
  tell({ kind: "closed", tookMs, report: await report() });
  memory.stop();
  process.disconnect();
}

function tell(answer: Answer): void {
  process.send?.(answer);
}
