// The HTTP/1.1 half of a listener: Node's server with the limits, and responses that close the connection.
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { ListenLimits } from "../limits.js";
import { toHttp1Options } from "../limits.js";
import { exchangeKey, type NodeExchange } from "../node-exchange.js";
import type { TlsOptions } from "../tls.js";
import { toSecureServerOptions } from "../tls.js";
import { endAndDiscard } from "./linger.js";

export interface Http1Server {
  /** Listens; speaks HTTP/1.1 only with sockets given to `serve`. */
  readonly server: http.Server | https.Server;
  /** Begins the TLS handshake on an accepted socket, whose TLS socket is then emitted as "secureConnection"; absent in plaintext. */
  readonly startTls: ((socket: Socket) => void) | undefined;
  /** Maximum number of request headers. */
  readonly headerCount: number;
  serve(socket: Socket): void;
}

/** Whether a connection has to end with this response. */
type IsLast = (response: http.ServerResponse) => boolean;

/** A server whose own HTTP/1.1 reading of new sockets is taken off, to be called as `serve`. */
export function createHttp1Server(limits: ListenLimits, tls: TlsOptions | undefined, isLast: IsLast): Http1Server {
  const options = { ...toHttp1Options(limits), IncomingMessage: Request, ServerResponse: responseClass(isLast) };
  const server =
    tls === undefined
      ? http.createServer(options)
      : https.createServer({ ...options, ...toSecureServerOptions(tls, limits.openingMs) });
  // Node silently drops headers over its limit. Disable that; the server counts them and replies 431.
  server.maxHeadersCount = 0;
  const take = (event: "connection" | "secureConnection") => {
    const [listener] = server.listeners(event) as [(socket: Socket) => void];
    server.removeAllListeners(event);
    return listener;
  };
  const startTls = tls && take("connection");
  const serve = take(tls === undefined ? "connection" : "secureConnection");
  return {
    server,
    startTls: startTls && ((socket) => startTls.call(server, socket)),
    headerCount: limits.headerCount,
    serve(socket) {
      // Node calls this to close a connection after its last response.
      socket.destroySoon = () => endAndDiscard(socket, limits);
      serve.call(server, socket);
      // Node hands the bytes of a TLS socket straight to its parser, which fails on those that come while it is paused
      // (seen on Node 20 and 24). A listener makes it read them as events, which a pause holds back.
      if (tls !== undefined) socket.on("data", () => {});
    },
  };
}

/** A request whose body goes to its exchange, if that takes it straight. */
class Request extends http.IncomingMessage {
  declare [exchangeKey]?: NodeExchange | undefined;

  // @ts-expect-error: declared as a property, and an accessor in Node as well
  override get readableEnded(): boolean {
    // @ts-expect-error: as above
    return this[exchangeKey]?.isBodyEnded === true || super.readableEnded;
  }

  override push(chunk: Buffer | null): boolean {
    const taker = this[exchangeKey];
    return taker?.takesPushed() ? taker.take(chunk) : super.push(chunk);
  }
}

function responseClass(isLast: IsLast): typeof http.ServerResponse {
  class Response<Request extends http.IncomingMessage> extends http.ServerResponse<Request> {
    // biome-ignore lint/suspicious/noExplicitAny: the overloads of writeHead are all passed on alike.
    override writeHead(status: number, first?: any, second?: any): this {
      // Node discards what follows a request with Upgrade.
      const isUpgrade = this.req.headers.upgrade !== undefined;
      if (isUpgrade || isLast(this) || isLongBodyArriving(this.req)) this.shouldKeepAlive = false;
      return super.writeHead(status, first, second);
    }
  }
  return Response as typeof http.ServerResponse;
}

/** Up to here the rest of a body is read and thrown away by Node, and the connection lives on. */
const SHORT_BODY_BYTES = 64 * 1024;

function isLongBodyArriving({ complete, headers }: http.IncomingMessage): boolean {
  if (complete) return false;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > SHORT_BODY_BYTES;
}

/**
 * Returns the response to malformed input, by the code of Node's parser; undefined if the client is gone.
 *
 * @param added headers of filters, if the input belongs to a request that they have seen
 */
export function answerTo(
  { code }: { code?: string | undefined },
  added: Readonly<http.OutgoingHttpHeaders> = {},
): string | undefined {
  if (code === "ECONNRESET" || code === "EPIPE") return undefined;
  const status = STATUS_OF[code ?? ""] ?? 400;
  const headers = "Connection: close\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff";
  const more = Object.entries(added).map(([name, value]) => `\r\n${name}: ${value}`);
  return `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${headers}${more.join("")}\r\n\r\n`;
}

const STATUS_OF: Readonly<Record<string, number>> = {
  CONNECT: 405,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};
