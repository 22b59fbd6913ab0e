// Starts a server with the test service on a free port, and holds it to leaving nothing behind: at its end no call has to
// be cut, and every socket is closed.
import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { DescMethod } from "@bufbuild/protobuf";
import {
  createServer,
  type FinishedCall,
  type RouteOptions,
  type Router,
  type Server,
  type ServerOptions,
} from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { SeenCalls } from "./seen-calls.js";
import { createTestService, type TestServiceImpl } from "./service.js";

/** Options of a test's server. Those of `createServer` mean the same; port 0 is the default. */
export interface TestServerOptions extends Partial<ServerOptions> {
  /** Another descriptor of the test service, such as one with options. */
  service?: typeof TestService;
  /** Handlers instead of the test service's own. */
  implementation?: Partial<TestServiceImpl>;
  /** Options of the test service alone. */
  serviceOptions?: RouteOptions;
  /** Whether calls may be under way when the server is disposed. Default false. */
  mayCutCalls?: boolean;
}

/** A server that listens. To be disposed; throws then, if calls or sockets were left. */
export interface TestServer extends AsyncDisposable {
  readonly server: Server;
  readonly url: string;
  readonly port: number;
  /** What the handlers of the test service see. */
  readonly seen: SeenCalls;
  /** Calls that have ended, in that order. */
  readonly finished: readonly FinishedCall[];
  /** Sockets that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /**
   * The next call of the method to end after now. In the reference lane that is a moment after its client has the response,
   * so a test that made a call of the same method before has to have waited for its end, too.
   */
  nextFinished(method: keyof typeof TestService.method): Promise<FinishedCall>;
}

/** How long calls may take to end once a server is being closed, in milliseconds. */
const drainTimeoutMs = 1000;

/** Starts a server. `routes` are registered besides the test service. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { service = TestService, implementation, serviceOptions, mayCutCalls = false, routes, ...rest } = options;
  const seen = new SeenCalls();
  const finished = new FinishedCalls();
  const sockets = new OpenSockets();
  const server = createServer({
    port: 0,
    drainTimeoutMs,
    ...rest,
    routes(router: Router) {
      router.service(service, { ...createTestService(seen), ...implementation }, serviceOptions);
      routes?.(router);
    },
    onCall: [(call: FinishedCall) => finished.add(call), rest.onCall ?? []].flat(),
  });
  await server.listen();
  sockets.port = Number(new URL(server.url).port);
  return {
    server,
    url: server.url,
    port: sockets.port,
    seen,
    finished: finished.calls,
    sockets: sockets.open,
    nextFinished: (method) => finished.next(service.method[method]),
    async [Symbol.asyncDispose]() {
      await server.close();
      sockets.stop();
      const leaks = [...(mayCutCalls ? [] : finished.cut()), ...sockets.leaks()];
      if (leaks.length > 0) throw new Error(`the server at ${server.url} leaks: ${leaks.join("; ")}`);
    },
  };
}

/** Calls of one server that have ended. */
class FinishedCalls {
  readonly calls: FinishedCall[] = [];
  #waiting: (() => void)[] = [];

  add(call: FinishedCall): void {
    this.calls.push(call);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async next(descriptor: DescMethod): Promise<FinishedCall> {
    const before = this.calls.length;
    for (;;) {
      const call = this.calls.slice(before).find(({ method }) => method.spec.method === descriptor);
      if (call !== undefined) return call;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Those that the end of the server has ended. */
  cut(): string[] {
    const isCut = ({ error }: FinishedCall) => error?.rawMessage === "the server is shutting down";
    return this.calls.filter(isCut).map(({ method }) => `a call of ${method.path} had not ended`);
  }
}

/** The sockets that Node accepts on one port of this process. */
class OpenSockets {
  readonly open = new Set<Socket>();
  port: number | undefined;
  readonly #listen = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== this.port) return;
    this.open.add(socket);
    socket.once("close", () => this.open.delete(socket));
  };

  constructor() {
    channel("net.server.socket").subscribe(this.#listen);
  }

  stop(): void {
    channel("net.server.socket").unsubscribe(this.#listen);
  }

  leaks(): string[] {
    return [...this.open].map(({ remotePort }) => `the socket from port ${remotePort} is open`);
  }
}
