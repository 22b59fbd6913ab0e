// Callers of each HTTP version, that know which of their calls a server has taken on.
import http, { type IncomingMessage } from "node:http";
import http2, { type ClientHttp2Session } from "node:http2";
import https from "node:https";
import type { CallEnd, Caller } from "./load.js";

/** A call: what to send, and how to check the response. */
export interface Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In chunks, with these milliseconds between them. */
  readonly body: readonly Buffer[];
  readonly pauseMs?: number;
  /** What is wrong with a response, or undefined. */
  findFault(answer: { body: Buffer; status: string | undefined }): string | undefined;
}

/** With an `https:` URL: what to trust, and the name that the certificate has to have. */
export interface CallerTls {
  readonly ca: string | Buffer;
  readonly servername: string;
}

const turnedAway: CallEnd = { kind: "turned away" };

/**
 * On HTTP/1.1. A server that closes a connection which a call is just being sent on loses that call; one that does not
 * accept the connection in the first place does not.
 */
export function openCaller1(url: string, make: (index: number) => Call, tls?: CallerTls): Caller {
  const library = tls === undefined ? http : https;
  const agent = new library.Agent({ keepAlive: true, ...tls });
  return {
    call: (index) =>
      new Promise((resolve) => {
        const { path, headers, body, pauseMs, findFault } = make(index);
        const request = library.request(new URL(path, url), { method: "POST", agent, headers });
        const fail = ({ code = "no code" }: NodeJS.ErrnoException) => {
          const isNew = !request.reusedSocket && (code === "ECONNREFUSED" || code === "ECONNRESET");
          resolve(isNew ? turnedAway : { kind: "lost", reason: `HTTP/1.1: ${code}` });
        };
        request.on("error", fail).on("response", (response: IncomingMessage) => {
          const chunks: Buffer[] = [];
          response.on("error", fail).on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const status = response.trailers["grpc-status"] ?? String(response.statusCode);
            resolve(judge("HTTP/1.1", findFault({ body: Buffer.concat(chunks), status })));
          });
        });
        void writeSlowly(request, body, pauseMs);
      }),
    close: () => agent.destroy(),
  };
}

/**
 * On HTTP/2. GOAWAY names the last call that the server has taken on (RFC 9113 section 6.8). A server that has not sent its
 * settings has not accepted the connection.
 */
export function openCaller2(url: string, make: (index: number) => Call, tls?: CallerTls): Caller {
  let session: { session: ClientHttp2Session; lastTaken: number; isAccepted: boolean } | undefined;
  const connect = () => {
    const opened = { session: http2.connect(url, tls), lastTaken: Number.POSITIVE_INFINITY, isAccepted: false };
    opened.session
      .on("error", () => {})
      .on("remoteSettings", () => {
        opened.isAccepted = true;
      })
      .on("goaway", (_code, lastStream) => {
        opened.lastTaken = Math.min(opened.lastTaken, lastStream);
      });
    return opened;
  };
  return {
    call: (index) =>
      new Promise((resolve) => {
        if (session === undefined || session.session.closed || session.session.destroyed) session = connect();
        const mine = session;
        const { path, headers, body, pauseMs, findFault } = make(index);
        const stream = mine.session.request({ ":method": "POST", ":path": path, ...headers });
        const chunks: Buffer[] = [];
        let status: string | undefined;
        let isWhole = false;
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("response", (found) => {
          status = String(found["grpc-status"] ?? found[":status"]);
        });
        stream.on("trailers", (found) => {
          status = String(found["grpc-status"]);
        });
        stream.on("end", () => {
          isWhole = true;
        });
        stream.on("error", () => {});
        stream.on("close", () => {
          if (isWhole && status !== undefined)
            resolve(judge("HTTP/2", findFault({ body: Buffer.concat(chunks), status })));
          else if (stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM) resolve(turnedAway);
          else if (!mine.isAccepted || stream.id === undefined || stream.id > mine.lastTaken) resolve(turnedAway);
          else
            resolve({
              kind: "lost",
              reason: `HTTP/2: reset ${stream.rstCode}, stream ${stream.id} of ${mine.lastTaken}`,
            });
        });
        void writeSlowly(stream, body, pauseMs);
      }),
    close: () => session?.session.destroy(),
  };
}

function judge(where: string, fault: string | undefined): CallEnd {
  return fault === undefined ? { kind: "answered" } : { kind: "lost", reason: `${where}: ${fault}` };
}

async function writeSlowly(
  target: NodeJS.WritableStream & { destroyed?: boolean },
  body: readonly Buffer[],
  pauseMs = 0,
): Promise<void> {
  for (const [index, piece] of body.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (target.destroyed === true) return;
    target.write(piece);
  }
  if (target.destroyed !== true) target.end();
}
