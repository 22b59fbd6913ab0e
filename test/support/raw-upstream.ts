// A gRPC server on Node's HTTP/2 of which a test writes the headers, envelopes and trailers itself.
import { once } from "node:events";
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { envelope } from "./envelopes.js";

/** One call. */
export class RawCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.stream = stream;
    this.headers = headers;
    // A reset is one of the ends of a call.
    stream.on("error", () => {});
  }

  /** Reads the whole request. */
  async body(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Resolves with the code of a reset when the call is closed; 0 without one. */
  async closed(): Promise<number> {
    if (!this.stream.closed) await once(this.stream, "close");
    return this.stream.rstCode ?? 0;
  }

  /** Sends headers that others follow. */
  respond(headers: OutgoingHttpHeaders = {}): this {
    this.stream.respond({ ":status": 200, "content-type": "application/grpc", ...headers }, { waitForTrailers: true });
    return this;
  }

  write(...chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) this.stream.write(chunk);
    return this;
  }

  /** Ends the response. */
  end(trailers: OutgoingHttpHeaders = { "grpc-status": "0" }): void {
    this.stream.once("wantTrailers", () => this.stream.sendTrailers(trailers));
    this.stream.end();
  }

  /** Sends a whole response with messages. */
  reply(...messages: readonly (string | Uint8Array)[]): void {
    this.respond()
      .write(...messages.map((data) => envelope(data)))
      .end();
  }

  /** Sends headers that nothing follows. */
  respondOnly(headers: OutgoingHttpHeaders): void {
    this.stream.respond({ ":status": 200, "content-type": "application/grpc", ...headers }, { endStream: true });
  }
}

/** To be disposed, which cuts its connections. */
export class RawUpstream implements AsyncDisposable {
  /** What happens to a call. */
  script: (call: RawCall) => unknown = () => {};
  readonly #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();
  #waiting: ((call: RawCall) => void)[] = [];

  static async start(): Promise<RawUpstream> {
    const upstream = new RawUpstream();
    const server = upstream.#server;
    server.on("session", (session) => {
      upstream.#sessions.add(session);
      session.once("close", () => upstream.#sessions.delete(session));
    });
    server.on("stream", (stream, headers) => {
      const call = new RawCall(stream, headers);
      for (const resolve of upstream.#waiting.splice(0)) resolve(call);
      upstream.script(call);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return upstream;
  }

  /** As `upstreams` takes it. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves with the next call. */
  next(): Promise<RawCall> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
