// One request as Connect's protocols make it: headers and an iterable body out, headers and an iterable body in.
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientResponse } from "@connectrpc/connect/protocol";
import { ErrorCode } from "../../server/http2/errors.js";
import type { ResponseFields } from "../../server/http2/field-rules.js";
import type { Field } from "../../server/http2/hpack/field.js";
import type { Request, RequestConnection, RequestStream } from "./request.js";
import { toHeaders } from "./request-fields.js";
import { Upload } from "./upload.js";

/** What a universal request is made of. */
export interface UniversalRequestInit {
  readonly fields: readonly Field[];
  readonly isHead: boolean;
  readonly body: AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal | undefined;
  readonly waitsForReady: boolean;
  /** Called once, unless `refuse` is. */
  readonly respond: (response: UniversalClientResponse) => void;
  /** Called if the request fails. After the response headers, the body throws the error instead. */
  readonly refuse: (error: ConnectError) => void;
  /** Forgets a request that waits for a connection. */
  readonly forget: (request: Request) => void;
}

interface Waiter {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: unknown): void;
}

export class UniversalRequest implements Request {
  readonly #init: UniversalRequestInit;
  readonly #trailer = new Headers();
  #connection: RequestConnection | undefined;
  #stream: RequestStream | undefined;
  /** What has come and was not read yet. */
  #chunks: Uint8Array[] = [];
  #reader: Waiter | undefined;
  /** Whether the response has begun. */
  #isBegun = false;
  #isComplete = false;
  /** Whether the reader has had the end. */
  #isRead = false;
  #error: ConnectError | undefined;
  readonly #upload: Upload<Uint8Array> | undefined;

  constructor(init: UniversalRequestInit) {
    this.#init = init;
    const { body } = init;
    if (body !== undefined) {
      this.#upload = new Upload(body, {
        encode: (chunk) => chunk,
        isOver: () => this.#isComplete || this.#error !== undefined,
        onError: (error) => this.#cancel(ConnectError.from(error, Code.Internal)),
      });
    }
    init.signal?.addEventListener("abort", this.#onAbort);
  }

  get waitsForReady(): boolean {
    return this.#init.waitsForReady;
  }

  open(connection: RequestConnection): RequestStream | undefined {
    const { fields, isHead, body } = this.#init;
    const stream = connection.open(fields, body === undefined, { isHead });
    if (stream === undefined) return undefined;
    this.#connection = connection;
    this.#stream = stream;
    this.#upload?.begin(connection, stream);
    return stream;
  }

  restart(): boolean {
    if (this.#isBegun || this.#upload?.restart() === false) return false;
    this.#stream = undefined;
    return true;
  }

  onResponse({ status, fields }: ResponseFields): void {
    if (status < 200) return;
    this.#isBegun = true;
    this.#upload?.forget();
    const header = toHeaders(fields);
    this.#init.respond({ status, header, body: { [Symbol.asyncIterator]: () => this.#body }, trailer: this.#trailer });
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    const chunk = bytes.subarray(start, end);
    if (this.#reader === undefined) {
      this.#chunks.push(chunk);
      return;
    }
    this.#reader.resolve({ done: false, value: chunk });
    this.#reader = undefined;
    this.#consume(chunk);
  }

  onTrailers(trailers: readonly Field[]): void {
    for (const { name, value } of trailers) this.#trailer.append(name, value);
  }

  onEnd(): void {
    this.#isComplete = true;
    this.#release();
    this.#isRead = this.#reader !== undefined;
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
  }

  onDrain(): void {
    this.#upload?.wake();
  }

  onFail(error: ConnectError): void {
    this.#error = error;
    this.#release();
    this.#init.refuse(error);
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#init.signal as AbortSignal;
    this.#cancel(ConnectError.from(reason, Code.Canceled));
  };

  /** Fails the request for a reason of the caller's. What has come and was not read is dropped. */
  #cancel(error: ConnectError): void {
    if (this.#error !== undefined) return;
    this.#chunks = [];
    if (this.#isComplete) return;
    if (this.#stream === undefined) this.#init.forget(this);
    else {
      this.#stream.owner = undefined;
      this.#connection?.reset(this.#stream, ErrorCode.cancel);
    }
    this.onFail(error);
  }

  /** Lets go of the caller's signal and body. */
  #release(): void {
    this.#init.signal?.removeEventListener("abort", this.#onAbort);
    this.#upload?.wake();
  }

  readonly #body: AsyncIterator<Uint8Array> = {
    next: () => this.#next(),
    // Connect calls it when it cannot use what it has read.
    throw: async (error: unknown) => {
      this.#cancel(ConnectError.from(error));
      throw error;
    },
    return: async () => {
      this.#cancel(new ConnectError("the response is not read any more", Code.Canceled));
      return { done: true, value: undefined };
    },
  };

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const { signal } = this.#init;
    if (signal?.aborted === true && !this.#isRead) throw ConnectError.from(signal.reason, Code.Canceled);
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#consume(chunk);
      return { done: false, value: chunk };
    }
    if (this.#error !== undefined) throw this.#error;
    if (this.#isComplete) {
      this.#isRead = true;
      return { done: true, value: undefined };
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #consume({ length }: Uint8Array): void {
    if (this.#stream !== undefined) this.#connection?.consume(this.#stream, length);
  }
}
