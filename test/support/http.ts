// HTTP requests by Node's own clients, of either version, with the same response type: with what a client library would hide.
import { once } from "node:events";
import http, { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import https from "node:https";
import type { Socket } from "node:net";
import { pipeline, Readable, type Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { authority } from "./certificates.js";

/** Versions of HTTP, as Node and Connect write them. */
export type HttpVersion = "1.1" | "2";

/** A request. */
export interface RawRequest {
  httpVersion?: HttpVersion;
  method?: string;
  /** Path and query. */
  path: string;
  headers?: OutgoingHttpHeaders;
  /** In one chunk with Content-Length, or in several without, one per turn of the event loop. */
  body?: string | Uint8Array | readonly Uint8Array[] | undefined;
}

type Trailers = Record<string, string | string[] | undefined>;

/** What came back. Names of headers and trailers are in lower case. */
export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: Trailers;
  body: Buffer;
  /** The body as text. */
  text: string;
}

/** A request that has begun, on a connection of its own. To be disposed, which cuts that. */
export interface OpenRequest extends AsyncDisposable {
  /** Where the body goes. */
  readonly body: Writable;
  /** Resolves when the response is complete. Rejects if it is aborted. */
  readonly answer: Promise<RawAnswer>;
  /** Cuts the connection by a reset, without a farewell of any protocol. */
  vanish(): void;
}

/** A connection that requests can be sent on, one after the other. It is opened when it is needed. To be disposed. */
export interface Connection extends AsyncDisposable {
  request(options: Omit<RawRequest, "httpVersion">): Promise<RawAnswer>;
}

/** Prepares a connection to the place of a URL, with TLS if it is an `https:` one. */
export function openConnection(url: string, httpVersion: HttpVersion): Connection {
  return httpVersion === "1.1" ? openConnection1(url) : openConnection2(url);
}

/** Sends one request on a connection of its own. */
export async function request(url: string, { httpVersion = "1.1", ...options }: RawRequest): Promise<RawAnswer> {
  await using connection = openConnection(url, httpVersion);
  return await connection.request(options);
}

function openConnection1(url: string): Connection {
  const isTls = url.startsWith("https:");
  const agent = isTls ? new https.Agent({ keepAlive: true, ca: authority }) : new http.Agent({ keepAlive: true });
  const sockets = new Set<Socket>();
  return {
    async request({ method = "POST", path, headers, body }) {
      const options = { method, path, agent, headers: { ...lengthOf(body), ...headers } };
      const outgoing = isTls ? https.request(url, options) : http.request(url, options);
      outgoing.once("socket", (socket) => sockets.add(socket)).setNoDelay(true);
      sendBody(outgoing, body);
      const [response] = await once(outgoing, "response");
      return readAnswer1(response as IncomingMessage);
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await Promise.all([...sockets].map(closed));
    },
  };
}

function openConnection2(url: string): Connection {
  let connection: Http2Connection | undefined;
  return {
    async request(options) {
      if (connection === undefined || connection.session.closed || connection.session.destroyed) {
        connection = await openHttp2(url);
      }
      return connection.request(options);
    },
    [Symbol.asyncDispose]: async () => connection?.[Symbol.asyncDispose](),
  };
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}

/** Sends the head of a request. Its body is the caller's to write and end. */
export function beginRequest(url: string, options: Omit<RawRequest, "body">): Promise<OpenRequest> {
  return options.httpVersion === "2" ? begin2(url, options) : begin1(url, options);
}

async function begin1(url: string, { method = "POST", path, headers = {} }: RawRequest): Promise<OpenRequest> {
  const { request } = url.startsWith("https:") ? https : http;
  const body = request(url, { method, path, agent: false, ca: authority, headers } as https.RequestOptions);
  body.flushHeaders();
  const [socket] = await once(body, "socket");
  return {
    body,
    answer: quiet(once(body, "response").then(([response]) => readAnswer1(response as IncomingMessage))),
    vanish: () => cut(socket),
    async [Symbol.asyncDispose]() {
      body.on("error", () => {}).destroy();
      await closed(socket);
    },
  };
}

async function readAnswer1(response: IncomingMessage): Promise<RawAnswer> {
  const body = await buffer(response);
  const { statusCode = 0, headers, trailers } = response;
  return { status: statusCode, headers, trailers, body, text: body.toString() };
}

async function begin2(url: string, options: RawRequest): Promise<OpenRequest> {
  const connection = await openHttp2(url);
  const body = connection.begin(options);
  return {
    body,
    answer: quiet(answerOf(body)),
    vanish: () => connection.vanish(),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** A connection over HTTP/2. To be disposed, which cuts it. */
export interface Http2Connection extends AsyncDisposable {
  readonly session: ClientHttp2Session;
  /** Begins a request. Its body is the caller's to write and end. */
  begin(options: Omit<RawRequest, "body">): ClientHttp2Stream;
  /** Sends a whole request. */
  request(options: RawRequest): Promise<RawAnswer>;
  /** Cuts the connection by a reset, without GOAWAY. */
  vanish(): void;
}

/** Connects to the place of a URL, with TLS if it is an `https:` one. */
export async function openHttp2(url: string): Promise<Http2Connection> {
  const session = http2.connect(url, { ca: authority });
  const [, socket] = await once(session, "connect");
  session.on("error", () => {});
  const begin = ({ method = "POST", path, headers }: RawRequest) =>
    session.request({ ":method": method, ":path": path, ...headers });
  return {
    session,
    begin,
    async request(options) {
      const stream = begin({ ...options, headers: { ...lengthOf(options.body), ...options.headers } });
      sendBody(stream, options.body);
      return answerOf(stream);
    },
    vanish: () => cut(socket),
    async [Symbol.asyncDispose]() {
      if (session.destroyed) return;
      const closed = once(session, "close");
      session.destroy();
      await closed;
    },
  };
}

/** Reads the whole response to a request over HTTP/2. Rejects if the stream is reset. */
export async function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  let trailers: Trailers = {};
  stream.once("trailers", (found) => {
    trailers = found;
  });
  const headers = await new Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>((resolve, reject) => {
    stream.once("response", resolve).once("error", reject);
    stream.once("close", () => reject(new Error(`expected an answer, found a reset by code ${stream.rstCode}`)));
  });
  const body = await buffer(stream);
  return {
    status: headers[":status"] ?? 0,
    headers: headers as IncomingHttpHeaders,
    trailers,
    body,
    text: body.toString(),
  };
}

/** Lets a rejection be, for those who do not wait for the promise. Those who do still get it. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** By RST, where Node can: not with TLS. */
function cut(socket: Socket): void {
  if ("encrypted" in socket) socket.destroy();
  else socket.resetAndDestroy();
}

function lengthOf(body: RawRequest["body"]): OutgoingHttpHeaders {
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return {};
  return { "content-length": Buffer.byteLength(body) };
}

/** A response may come before the body has left, and an error with it. Awaiting the response rejects with it. */
function sendBody(target: Writable, body: RawRequest["body"]): void {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) target.end(body);
  else pipeline(Readable.from(slowly(body)), target, () => {});
}

async function* slowly(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    yield chunk;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
