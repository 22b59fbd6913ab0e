// Reads the requests of a client stream as the handler asks for them: the values of a JSON array or of lines,
// or the chunks of a google.api.HttpBody.
import type { Transform } from "node:stream";
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ByteBuffer } from "../call/byte-buffer.js";
import { RequestQueue } from "../call/request-queue.js";
import type { Exchange } from "../http/exchange.js";
import type { JsonSplitter } from "../rest/read/json-splitter.js";

/** How a stream is read. */
interface RequestForm {
  /** Splits the body; undefined if each chunk is a request. */
  readonly splitter: JsonSplitter | undefined;
  /** Undefined if the body is not compressed. */
  readonly decompressor: Transform | undefined;
  /** Maximum size of one message in bytes. */
  readonly limitBytes: number;
  /** Makes the request of a value. May throw. */
  readonly decode: (value: Uint8Array) => Message;
  /** Called with the reason why the body cannot be read. Returns the error that the handler gets. */
  readonly onProblem: (reason: unknown) => unknown;
}

/**
 * Maximum expansion of a compressed body, plus one message. DEFLATE cannot exceed this factor
 * (https://zlib.net/zlib_tech.html, "Maximum Compression Factor"); 40 bytes of Brotli can expand to gigabytes.
 */
const maxExpansion = 1100;

/** Maximum compressed bytes that wait before the connection is paused. */
const maxCompressedBytes = 64 * 1024;

/** Reads the body of one stream. */
export class RequestReader {
  readonly requests: RequestQueue<Uint8Array>;
  readonly #form: RequestForm;
  readonly #exchange: Exchange;
  /** True after an error or `stop`. The rest of the body is ignored. */
  #isBroken = false;
  #isHeld = false;
  /** Bytes that wait for the end of the turn, or for the decompressor. */
  readonly #arrived = new ByteBuffer();
  #isDecompressing = false;
  #compressedBytes = 0;
  #expandedBytes = 0;

  constructor(form: RequestForm, exchange: Exchange) {
    this.#form = form;
    this.#exchange = exchange;
    const { decompressor } = form;
    this.requests = new RequestQueue({
      open: form.decode,
      pause: () => (decompressor ?? exchange).pause(),
      read: () => (decompressor === undefined ? exchange.read() : decompressor.resume()),
    });
    decompressor?.on("data", (bytes: Buffer) => this.#takeExpanded(bytes));
    decompressor?.on("end", () => this.#finish());
    decompressor?.on("error", (error) => this.#fail(notCompressed(error)));
  }

  /** Whether a message is incomplete. */
  get hasPartOfMessage(): boolean {
    return this.#form.splitter?.hasPart === true;
  }

  /** A part of the body. */
  push(chunk: Buffer): void {
    if (this.#isBroken) return;
    const isFirst = this.#arrived.length === 0;
    this.#arrived.push(chunk);
    if (this.#form.decompressor === undefined) {
      // Chunks that arrive in one turn of the event loop are taken together: one read of a socket can bring 10,000.
      if (isFirst) setImmediate(() => this.#takeArrived());
      return;
    }
    this.#compressedBytes += chunk.length;
    this.#decompress();
    if (this.#arrived.length > maxCompressedBytes) this.#hold(true);
  }

  #takeArrived(): void {
    if (this.#arrived.length > 0) this.#take(this.#arrived.take());
  }

  /** Each write is a job for Node's thread pool, so chunks that arrive during one are written together. */
  #decompress(): void {
    if (this.#isDecompressing || this.#arrived.length === 0) return;
    this.#isDecompressing = true;
    this.#form.decompressor?.write(this.#arrived.take(), () => {
      this.#isDecompressing = false;
      if (this.#isBroken) return;
      this.#decompress();
      this.#hold(false);
    });
  }

  /** The end of the body. */
  end(): void {
    if (this.#isBroken) return;
    if (this.#form.decompressor !== undefined) {
      this.#form.decompressor.end(this.#arrived.take());
      return;
    }
    this.#takeArrived();
    this.#finish();
  }

  /** Stops reading. The rest of the body is dropped. */
  stop(error: unknown): void {
    this.#isBroken = true;
    this.#form.decompressor?.destroy();
    this.requests.stop(error);
    this.#hold(false);
  }

  #takeExpanded(bytes: Buffer): void {
    this.#expandedBytes += bytes.length;
    const limitBytes = this.#form.limitBytes + this.#compressedBytes * maxExpansion;
    if (this.#expandedBytes <= limitBytes) this.#take(bytes);
    else
      this.#fail(new ConnectError(`body: expands to more than ${maxExpansion} times its size`, Code.ResourceExhausted));
  }

  #take(bytes: Buffer): void {
    if (this.#isBroken) return;
    const values: Uint8Array[] = [];
    const problem = attempt(() => this.#split(bytes, values));
    if (values.length > 0) this.requests.push(values, bytes.length);
    if (problem !== undefined) this.#fail(problem.reason);
  }

  #split(bytes: Buffer, values: Uint8Array[]): void {
    const { splitter } = this.#form;
    // A copy: the message keeps it, and Node uses the memory of what it reads again.
    if (splitter === undefined) values.push(Uint8Array.from(bytes));
    else splitter.push(bytes, values);
  }

  #finish(): void {
    if (this.#isBroken) return;
    const values: Uint8Array[] = [];
    const problem = attempt(() => this.#form.splitter?.end(values));
    this.requests.push(values, 0);
    if (problem === undefined) this.requests.end();
    else this.#fail(problem.reason);
  }

  /** Ignores the rest of the body. The handler gets the error after the requests that arrived before. */
  #fail(reason: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#form.decompressor?.destroy();
    this.requests.end(this.#form.onProblem(reason));
    this.#hold(false);
  }

  /** Pauses or resumes the client, depending on the decompressor. */
  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#exchange.pause();
    else this.#exchange.read();
  }
}

function attempt(action: () => unknown): { reason: unknown } | undefined {
  try {
    action();
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

function notCompressed(cause: unknown): ConnectError {
  const text = "the body is not compressed as its content-encoding says";
  return new ConnectError(text, Code.InvalidArgument, undefined, undefined, cause);
}
