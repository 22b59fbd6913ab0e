// Turns the body of a client's stream into requests, as the handler asks for them: the values of a JSON array or of lines,
// or the pieces of a google.api.HttpBody.
import type { Transform } from "node:stream";
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../listen/exchange.js";
import type { JsonSplitter } from "../rest/json-splitter.js";
import { RequestQueue } from "../rpc/request-queue.js";

/** How a stream is read. */
export interface RequestForm {
  /** Cuts the body; undefined if each piece, as it comes, is a request. */
  readonly splitter: JsonSplitter | undefined;
  /** Undefined if the body is not compressed. */
  readonly decompressor: Transform | undefined;
  /** Makes the request of a value. May throw. */
  readonly decode: (value: Uint8Array) => Message;
  /** Is told why the body cannot be read; returns what the handler is told. */
  readonly onProblem: (reason: unknown) => unknown;
}

/** Reads the body of one stream. */
export class RequestReader {
  readonly requests: RequestQueue<Uint8Array>;
  readonly #form: RequestForm;
  readonly #exchange: Exchange;
  /** Whether what still comes means nothing. */
  #isBroken = false;
  #isHeld = false;

  constructor(form: RequestForm, exchange: Exchange) {
    this.#form = form;
    this.#exchange = exchange;
    const { decompressor } = form;
    this.requests = new RequestQueue({
      open: form.decode,
      pause: () => (decompressor ?? exchange).pause(),
      read: () => (decompressor === undefined ? exchange.read() : decompressor.resume()),
    });
    decompressor?.on("data", (bytes: Buffer) => this.#take(bytes));
    decompressor?.on("end", () => this.#finish());
    decompressor?.on("drain", () => this.#hold(false));
    decompressor?.on("error", (error) => this.#fail(notCompressed(error)));
  }

  /** A part of the body. */
  push(chunk: Buffer): void {
    const { decompressor } = this.#form;
    if (decompressor === undefined) this.#take(chunk);
    else if (!this.#isBroken && !decompressor.write(chunk)) this.#hold(true);
  }

  /** The end of the body. */
  end(): void {
    const { decompressor } = this.#form;
    if (decompressor === undefined) this.#finish();
    else if (!this.#isBroken) decompressor.end();
  }

  /** Nobody wants the requests any more. What still comes is dropped. */
  stop(error: unknown): void {
    this.#isBroken = true;
    this.#form.decompressor?.destroy();
    this.requests.stop(error);
    this.#hold(false);
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

  /** The rest of the body means nothing. The handler is told after what came before. */
  #fail(reason: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.requests.end(this.#form.onProblem(reason));
    this.#hold(false);
  }

  /** Lets the client wait for the decompressor, or no longer. */
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
