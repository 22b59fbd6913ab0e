// The request of a call by a route: checks its headers, and reads a body that is one message.
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { CollectedBody } from "../call/byte-buffer.js";
import type { Call } from "../call/call.js";
import { toConnectError, tooLarge } from "../call/error.js";
import type { Exchange } from "../http/exchange.js";
import { header } from "../http/header.js";
import { quote, shorten } from "../quote.js";
import type { RestHead, RestMatch, RestSetup } from "./head.js";
import type { RestResponse } from "./rest-response.js";
import { streamCoding } from "./stream-coding.js";

/** The request of one call. */
export class RestRequest {
  readonly #call: Call;
  readonly #setup: RestSetup;
  readonly #match: RestMatch;
  readonly #head: RestHead;
  readonly #response: RestResponse;
  readonly #body: CollectedBody;

  constructor(setup: RestSetup, match: RestMatch, head: RestHead, call: Call, response: RestResponse) {
    this.#call = call;
    this.#setup = setup;
    this.#match = match;
    this.#head = head;
    this.#response = response;
    this.#body = new CollectedBody(setup.method.options.readMaxBytes);
  }

  /** Checks type and length of a body that is one message. @throws ConnectError */
  checkOne(): void {
    this.#checkSite();
    const isJson = this.#setup.binding.requestBody.kind === "json";
    if (isJson && this.#head.form !== "json") throw this.#refuseType();
    const problem = this.#body.checkLength(this.#call.exchange.headers);
    if (problem !== undefined) throw this.refuseSize(problem);
  }

  /** Checks type and compression of a body that is a stream of messages. @throws ConnectError */
  checkMany(): void {
    this.#checkSite();
    const isJson = this.#setup.binding.requestBody.kind === "json";
    if (isJson && this.#head.form === undefined) throw this.#refuseType();
    const coding = this.contentCoding;
    if (coding === undefined) return;
    const isKnown = this.#setup.method.options.acceptCompression.some(({ name }) => name === coding);
    if (!isKnown || streamCoding(coding) === undefined) throw this.#refuseCoding(coding);
  }

  /** Rejects a JSON body without Content-Type: browsers send those cross-origin without a preflight. @throws ConnectError */
  checkTyped(bytes: number): void {
    const isTyped = this.#setup.binding.requestBody.kind !== "json" || this.#head.contentType !== undefined;
    if (bytes > 0 && !isTyped) throw this.#refuseType();
  }

  /** Adds a chunk of a body that is one message. Ends the call if it becomes too large. */
  push(chunk: Buffer): void {
    if (this.#setup.binding.requestBody.kind === "none") return;
    const problem = this.#body.push(chunk);
    if (problem !== undefined) this.#call.fail(this.refuseSize(problem));
  }

  /** Ends the body. Calls `use` with it, decompressed, unless the call has ended. What `use` throws ends the call. */
  end(use: (body: Uint8Array) => void): void {
    const body = this.#body.take();
    this.#call.whenReady(
      () => this.#decompress(body),
      (bytes) => {
        const limitBytes = this.#setup.method.options.readMaxBytes;
        if (bytes.length > limitBytes) throw this.refuseSize(tooLarge(limitBytes, bytes.length));
        this.checkTyped(bytes.length);
        use(bytes);
      },
    );
  }

  #decompress(body: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const name = body.length === 0 ? undefined : this.contentCoding;
    if (name === undefined) return body;
    const { acceptCompression, readMaxBytes } = this.#setup.method.options;
    const compression = acceptCompression.find((one) => one.name === name);
    if (compression === undefined) throw this.#refuseCoding(name);
    return compression.decompress(body, readMaxBytes).catch((reason) => {
      throw this.refuseSize(toConnectError(reason));
    });
  }

  /** Makes a message of path, query and one body. @throws ConnectError */
  decode(body: Uint8Array): Message {
    // Spread, the match would cost a call more than the rest of the decoding.
    const { captures, query } = this.#match;
    try {
      const message = this.#setup.decode({ captures, query, contentType: this.#head.contentType, body });
      this.#call.messagesReceived++;
      return message;
    } catch (reason) {
      throw reason instanceof ConnectError ? this.refuseSize(reason) : reason;
    }
  }

  /** The compression of the body; undefined for none. */
  get contentCoding(): string | undefined {
    const name = header(this.#call.exchange.headers, "content-encoding")?.trim().toLowerCase();
    return name === "identity" || name === "" ? undefined : name;
  }

  /** Gives the status 413 to errors about the size of a body. */
  refuseSize(error: ConnectError): ConnectError {
    return error.code === Code.ResourceExhausted ? this.#response.refuse(413, error) : error;
  }

  #checkSite(): void {
    if (!isCrossSite(this.#call.exchange)) return;
    const { contentType } = this.#head;
    const found = contentType === undefined ? "none" : quote(contentType);
    const expected = "expected a content-type that needs a CORS preflight, such as application/json";
    throw new ConnectError(`cross-site POST: ${expected}, found ${found}`, Code.PermissionDenied);
  }

  #refuseType(): ConnectError {
    const found = this.#head.contentType ?? "a body without a type";
    const text = `content-type: expected application/json in UTF-8, found ${shorten(found)}`;
    return this.#response.refuse(415, new ConnectError(text, Code.InvalidArgument));
  }

  #refuseCoding(name: string): ConnectError {
    const names = this.#setup.method.options.acceptCompression.map((one) => one.name).join(", ");
    this.#call.context.responseHeader.set("accept-encoding", names);
    const text = `content-encoding: expected one of ${names}; found ${shorten(name)}`;
    return this.#response.refuse(415, new ConnectError(text, Code.InvalidArgument));
  }
}

/** Types that a form, or `fetch` in the mode `no-cors`, can send. Every other type needs a preflight. */
const formTypes = /^\s*(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(?:;|$)/i;

/**
 * Whether a browser sends this request for a page of another origin without a CORS preflight, which makes CSRF possible
 * (https://fetch.spec.whatwg.org/#cors-safelisted-request-header, https://www.w3.org/TR/fetch-metadata/). Requests without
 * `Sec-Fetch-Site` and `Origin` do not come from a browser.
 */
function isCrossSite({ method, headers, authority }: Exchange): boolean {
  if (method !== "POST") return false;
  const type = headers["content-type"];
  return (type === undefined || formTypes.test(type)) && isOtherOrigin(headers, authority);
}

function isOtherOrigin(headers: Exchange["headers"], authority: string): boolean {
  const site = header(headers, "sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin } = headers;
  return origin !== undefined && hostOf(origin) !== authority.toLowerCase();
}

/** The host and port of an origin; undefined for `null`, the origin of sandboxed pages. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase();
}
