// HTTP requests by Node's own clients, of either version, with the same answer: what a client library would hide.
import { once } from "node:events";
import http, { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import https from "node:https";
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
  /** In one piece, with its length in the head; or in several, one a turn of the event loop, of unsaid length. */
  body?: string | Uint8Array | readonly Uint8Array[] | undefined;
}

/** What came back. Names of headers and trailers are in lower case. */
export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** The body as text. */
  text: string;
}

/** Sends one request on a connection of its own, and closes that. */
export function request(url: string, { httpVersion = "1.1", ...options }: RawRequest): Promise<RawAnswer> {
  return httpVersion === "1.1" ? request1(url, options) : request2(url, options);
}

async function request1(url: string, { method = "POST", path, headers, body }: RawRequest) {
  const { request } = url.startsWith("https:") ? https : http;
  const options = { method, path, agent: false, ca: authority, headers: { ...lengthOf(body), ...headers } };
  const outgoing = request(url, options as https.RequestOptions);
  sendBody(outgoing, body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const whole = await buffer(response);
  return toAnswer(response.statusCode ?? 0, response.headers, response.trailers, whole);
}

async function request2(url: string, options: RawRequest) {
  await using connection = await openHttp2(url);
  return await connection.request(options);
}

/** A connection over HTTP/2. To be disposed, which cuts it. */
export interface Http2Connection extends AsyncDisposable {
  readonly session: ClientHttp2Session;
  /** Begins a request. Its body is the caller's to write and end. */
  begin(options: RawRequest): ClientHttp2Stream;
  /** Sends a whole request. */
  request(options: RawRequest): Promise<RawAnswer>;
}

/** Connects to the place of a URL, with TLS if it is an `https:` one. */
export async function openHttp2(url: string): Promise<Http2Connection> {
  const session = http2.connect(url, { ca: authority });
  await once(session, "connect");
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
    async [Symbol.asyncDispose]() {
      if (session.destroyed) return;
      const closed = once(session, "close");
      session.destroy();
      await closed;
    },
  };
}

/** Reads the whole answer to a request over HTTP/2. Rejects if the stream is reset. */
export async function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  let trailers: Record<string, string | string[] | undefined> = {};
  stream.once("trailers", (found) => {
    trailers = found;
  });
  const headers = await new Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>((resolve, reject) => {
    stream.once("response", resolve).once("error", reject);
    stream.once("close", () => reject(new Error(`expected an answer, found a reset by code ${stream.rstCode}`)));
  });
  const whole = await buffer(stream);
  return toAnswer(headers[":status"] ?? 0, headers as IncomingHttpHeaders, trailers, whole);
}

function lengthOf(body: RawRequest["body"]): OutgoingHttpHeaders {
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return {};
  return { "content-length": Buffer.byteLength(body) };
}

/** An answer may come before the body has left, and an error with it, which is told where the answer is awaited. */
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

function toAnswer(
  status: number,
  headers: IncomingHttpHeaders,
  trailers: Record<string, string | string[] | undefined>,
  body: Buffer,
): RawAnswer {
  return { status, headers, trailers, body, text: body.toString() };
}
