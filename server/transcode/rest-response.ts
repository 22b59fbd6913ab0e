// The response of a call by a route: its headers and trailers, a reply that is the whole body, and an error as JSON.
import type { OutgoingHttpHeaders } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Call, ResponseMetadata } from "../call/call.js";
import { httpStatusOf } from "../call/http-status.js";
import { chosenCompression, compressesResponses } from "../call/response-compression.js";
import { type Body, noSniff, statusHasBody } from "../http/exchange.js";
import { header } from "../http/header.js";
import { PreparedResponse } from "../http/prepared-response.js";
import { codeToStatus } from "../rest/error/status.js";
import type { EncodedBody } from "../rest/response.js";
import { type BodyResponse, compressBody, sendBody, sendErrorBody } from "../rpc/body-response.js";
import type { RestHead, RestSetup } from "./head.js";
import { responseHeaders, responseTrailers } from "./metadata.js";

const json = { "content-type": "application/json" };

/** The response of one call. */
export class RestResponse {
  readonly #call: Call;
  readonly #setup: RestSetup;
  readonly #compression: Compression | undefined;
  #fixedHeaders: OutgoingHttpHeaders | undefined;
  #fixedStatus: number | undefined;
  /** An error with a more exact HTTP status than that of its code. */
  #refusal: { readonly error: ConnectError; readonly status: number } | undefined;

  constructor(setup: RestSetup, head: RestHead, call: Call) {
    this.#call = call;
    this.#setup = setup;
    this.#compression = head.compression;
  }

  /** Sets the HTTP status of an error. Returns the error. */
  refuse(status: number, error: ConnectError): ConnectError {
    this.#refusal = { status, error };
    return error;
  }

  /** Sends one reply as the whole response. Throws if it cannot be encoded. */
  send(output: Message): void {
    if (this.isWithoutBody) {
      this.#call.complete(() => this.sendWithoutBody());
      return;
    }
    const encoded = this.#setup.encode(output);
    const body = encoded.kind === "json" ? encoded.text : encoded.data;
    this.#call.messagesSent++;
    const response = this.#toResponse(this.status, this.headers(encoded), body, this.#call.context);
    this.#call.whenReady(
      () => compressBody(response),
      (ready) => this.#call.complete(() => sendBody(this.#call.exchange, ready)),
    );
  }

  /** Sends a status that has no body, with the headers of the handler. Throws if they cannot be sent. */
  sendWithoutBody(): void {
    const { "content-type": _, ...headers } = this.headers(undefined);
    const { exchange } = this.#call;
    if (!exchange.isClosed) exchange.sendHeadOnly(this.status, headers);
  }

  /** The status of a response that is not an error. */
  get status(): number {
    return this.#fixedStatus ?? httpStatusOf(this.#call.context);
  }

  /** Whether the handler has chosen a status that has no body. */
  get isWithoutBody(): boolean {
    return !statusHasBody(this.status);
  }

  /** Sends an error as the whole response. Throws or rejects if headers or trailers cannot be sent. */
  sendError(error: ConnectError, metadata: ResponseMetadata): Promise<void> | undefined {
    const header = new Headers(metadata.responseHeader);
    header.set("content-type", "application/json");
    header.delete("content-encoding");
    error.metadata.forEach((value, name) => {
      header.append(name, value);
    });
    const headers = { ...responseHeaders(header, this.#setup.hasGatewayNames), ...noSniff };
    const body = JSON.stringify(this.#setup.encodeError(error));
    const response = this.#toResponse(this.#statusOf(error), headers, body, metadata);
    return sendErrorBody(this.#call.exchange, response, (warning) => this.#call.warn(warning));
  }

  /** Sends an error that many calls share as the whole response. */
  sendShared(error: ConnectError): void {
    const { encodeError, refusals } = this.#setup;
    const known = refusals.get(error);
    const made = () => new PreparedResponse(codeToStatus(error.code), json, JSON.stringify(encodeError(error)));
    const response = known ?? made();
    if (known === undefined) refusals.set(error, response);
    response.send(this.#call.exchange);
  }

  /** The status also holds for the reduced form of an error that is too large. */
  #statusOf({ code, rawMessage }: ConnectError): number {
    const refusal = this.#refusal;
    const isRefusal = refusal?.error.code === code && refusal.error.rawMessage === rawMessage;
    return isRefusal ? refusal.status : codeToStatus(code);
  }

  /** Status and headers are final with the first reply: what a handler sets later is not sent, whether they have left or not. */
  fixHeaders(): void {
    this.#fixedStatus ??= this.status;
    this.#fixedHeaders ??= this.#currentHeaders();
  }

  #currentHeaders(): OutgoingHttpHeaders {
    const { responseHeader } = this.#call.context;
    if (!responseHeader.isTouched) return { "content-type": "application/json" };
    return responseHeaders(responseHeader, this.#setup.hasGatewayNames);
  }

  /** The headers of a reply, those of the handler among them. */
  headers(encoded: EncodedBody | undefined): OutgoingHttpHeaders {
    const headers = Object.assign(this.#fixedHeaders ?? this.#currentHeaders(), noSniff);
    if (encoded?.kind !== "bytes") {
      // Only bytes can be compressed already.
      delete headers["content-encoding"];
      return headers;
    }
    // The handler sets the content type.
    delete headers["content-type"];
    if (encoded.contentType !== undefined) headers["content-type"] = encoded.contentType;
    return headers;
  }

  /**
   * Says in the headers that the response depends on Accept-Encoding. Returns the compression that it may have: none if the
   * handler has compressed it already, or if responses are not compressed.
   */
  chooseCompression(headers: OutgoingHttpHeaders): Compression | undefined {
    headers.vary = headers.vary === undefined ? "Accept-Encoding" : `${headers.vary}, Accept-Encoding`;
    if (headers["content-encoding"] !== undefined) return undefined;
    const isCompressed =
      chosenCompression(this.#call.context) ?? compressesResponses(this.#setup.method.options, "rest");
    return isCompressed ? this.#compression : undefined;
  }

  #toResponse(status: number, headers: OutgoingHttpHeaders, body: Body, metadata: ResponseMetadata): BodyResponse {
    const compression = this.chooseCompression(headers);
    const { compressMinBytes } = this.#setup.method.options;
    return { status, headers, body, trailers: this.trailers(metadata), compression, compressMinBytes };
  }

  /** Whether only the head is sent: the client asks for no more, or the status has no body. */
  get isHeadOnly(): boolean {
    return this.#call.exchange.method === "HEAD" || this.isWithoutBody;
  }

  /** Whether the client says that it reads trailers. */
  get takesTrailers(): boolean {
    return !this.isHeadOnly && /\btrailers\b/i.test(header(this.#call.exchange.headers, "te") ?? "");
  }

  /** The trailers that the handler has set; undefined for none, and for a client that does not read them. */
  trailers({ responseTrailer }: ResponseMetadata): OutgoingHttpHeaders | undefined {
    if (!responseTrailer.isTouched || !this.takesTrailers) return undefined;
    const trailers = responseTrailers(responseTrailer, this.#setup.hasGatewayNames);
    return Object.keys(trailers).length === 0 ? undefined : trailers;
  }
}
