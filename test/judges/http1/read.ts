// What our HTTP/1.1 and that of Node make of the same bytes.
import http from "node:http";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { Counters } from "../../../server/counters.js";
import type { Exchange } from "../../../server/http/exchange.js";
import { startLoad } from "../../../server/listen/connection-load.js";
import { createHttp1Server } from "../../../server/listen/http1/server.js";
import { DEFAULT_LISTEN_LIMITS } from "../../../server/listen/limits.js";
import { TestClock } from "../../support/clock.js";
import { MemorySocket } from "../../support/memory-socket.js";

/** A request as a server has read it. */
export interface SeenRequest {
  readonly line: string;
  readonly headers: readonly string[];
  body: string;
  /** Whether all of the body has come. */
  isWhole: boolean;
}

export interface Seen {
  readonly requests: readonly SeenRequest[];
  /** Whether what followed was refused. */
  readonly isRefused: boolean;
  /** Why, in the words of the server. */
  readonly fault: string | undefined;
}

/** Reads by our own code. */
export async function readOwn(parts: readonly Buffer[]): Promise<Seen> {
  const requests: SeenRequest[] = [];
  let fault: string | undefined;
  const server = createHttp1Server({
    limits: DEFAULT_LISTEN_LIMITS,
    clock: new TestClock(),
    counters: new Counters(),
    report: (error) => {
      fault = error.message;
    },
    onRequest: (exchange) => void requests.push(take(exchange)),
  });
  const socket = new MemorySocket(() => {}) as unknown as Socket & MemorySocket;
  server.serve(socket, startLoad(socket, 1_000_000));
  await push(socket, parts);
  socket.destroy();
  return { requests, isRefused: fault !== undefined, fault };
}

function take(exchange: Exchange): SeenRequest {
  const { method, path, query, rawHeaders = [] } = exchange;
  const target = query === undefined ? path : `${path}?${query}`;
  const seen = { line: `${method} ${withoutOrigin(target)}`, headers: rawHeaders, body: "", isWhole: false };
  exchange.attach({
    onData: (chunk) => {
      seen.body += chunk.toString("latin1");
    },
    onEnd() {
      seen.isWhole = true;
      exchange.sendHeadOnly(200, {});
    },
    onDrain() {},
    onClose() {},
  });
  exchange.read();
  return seen;
}

/** We take an absolute form apart, unless something else is wrong. */
function withoutOrigin(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]+/, "");
}

/** Reads by Node's parser, in its strict mode. */
export async function readNode(parts: readonly Buffer[]): Promise<Seen> {
  const requests: SeenRequest[] = [];
  let fault: string | undefined;
  const server = http.createServer({ requireHostHeader: false });
  const take = (request: http.IncomingMessage, response: http.ServerResponse) => {
    const line = `${request.method} ${withoutOrigin(request.url ?? "")}`;
    const seen = { line, headers: request.rawHeaders, body: "", isWhole: false };
    requests.push(seen);
    request.on("data", (chunk: Buffer) => {
      seen.body += chunk.toString("latin1");
    });
    request.on("end", () => {
      seen.isWhole = true;
      response.end();
    });
  };
  server.on("request", take);
  server.on("checkExpectation", take);
  server.on("clientError", (error: NodeJS.ErrnoException) => {
    fault = error.code ?? error.message;
  });
  server.on("connect", () => {
    fault = "CONNECT";
  });
  const socket = new MemorySocket(() => {});
  server.emit("connection", socket);
  await push(socket, parts);
  socket.destroy();
  server.close();
  return { requests, isRefused: fault !== undefined, fault };
}

async function push(socket: MemorySocket, parts: readonly Buffer[]): Promise<void> {
  for (const part of parts) {
    // An empty chunk would be the end.
    if (part.length > 0 && !socket.destroyed) socket.push(part);
    for (let turns = 0; turns < 3; turns++) await turn();
  }
  for (let turns = 0; turns < 5; turns++) await turn();
}
