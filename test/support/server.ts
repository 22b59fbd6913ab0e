// Starts a server with the test service on a free port, and holds it to leaving nothing behind: at its end every call has
// ended by itself and every socket is closed.
import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectRouter, type ConnectRouterOptions, createContextValues } from "@connectrpc/connect";
import { createServer, type FinishedCall, type Server, type ServerOptions } from "../../server/index.js";
import { TestService } from "../gen/manywire/test/v1/test_pb.js";
import { SeenCalls } from "./seen-calls.js";
import { createTestService, type TestServiceImpl } from "./service.js";

/** Options of a test's server. Those of `createServer` mean the same; port 0 is the default. */
export interface TestServerOptions extends Partial<ServerOptions> {
  /** Handlers in the place of the test service's own. */
  implementation?: Partial<TestServiceImpl>;
  /** Options of the test service alone. */
  serviceOptions?: ConnectRouterOptions;
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
  /** The next call to end after now. */
  nextFinished(): Promise<FinishedCall>;
  /** Resolves as soon as no call is under way. */
  whenIdle(): Promise<void>;
}

/** How long calls may take to end before a server is closed, in milliseconds, and how long connections then. */
const patienceMs = 1000;
const drainTimeoutMs = 2000;

/** Starts a server. `routes` are registered besides the test service. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { implementation, serviceOptions, mayCutCalls = false, routes, ...rest } = options;
  const seen = new SeenCalls();
  const calls = new CallCount();
  const sockets = new OpenSockets();
  const server = createServer({
    port: 0,
    drainTimeoutMs,
    ...rest,
    routes(router: ConnectRouter) {
      router.service(TestService, { ...createTestService(seen), ...implementation }, serviceOptions);
      routes?.(router);
    },
    contextValues(request) {
      calls.begin();
      return rest.contextValues?.(request) ?? createContextValues();
    },
    onCall(call) {
      calls.end(call);
      rest.onCall?.(call);
    },
  });
  await server.listen();
  const port = Number(new URL(server.url).port);
  sockets.port = port;
  return {
    server,
    url: server.url,
    port,
    seen,
    finished: calls.finished,
    sockets: sockets.open,
    nextFinished: () => calls.nextFinished(),
    whenIdle: () => calls.whenIdle(),
    async [Symbol.asyncDispose]() {
      // A client has its answer a moment before the server knows that the call has ended.
      await Promise.race([calls.whenIdle(), delay(mayCutCalls ? 0 : patienceMs, undefined, { ref: false })]);
      const { running } = calls;
      await server.close();
      sockets.stop();
      const leaks = [...(mayCutCalls || running === 0 ? [] : [`${running} calls had not ended`]), ...sockets.leaks()];
      if (calls.running > 0) leaks.push(`${calls.running} calls have never ended`);
      if (leaks.length > 0) throw new Error(`the server at ${server.url} leaks: ${leaks.join("; ")}`);
    },
  };
}

/** Calls of one server: begun when their context values are made, ended when the observer is told. */
class CallCount {
  readonly finished: FinishedCall[] = [];
  running = 0;
  #waiting: (() => void)[] = [];

  begin(): void {
    this.running++;
  }

  end(call: FinishedCall): void {
    this.running--;
    this.finished.push(call);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async nextFinished(): Promise<FinishedCall> {
    const index = this.finished.length;
    for (;;) {
      const call = this.finished[index];
      if (call !== undefined) return call;
      await this.#change();
    }
  }

  async whenIdle(): Promise<void> {
    while (this.running > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
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
