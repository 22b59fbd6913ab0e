// The base of the exchanges that filters make.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { Body, Exchange, ExchangeOwner } from "./exchange.js";
import type { PreparedHead } from "./prepared-head.js";

/** An exchange that does what another one does. A filter overrides what it changes. */
export class WrappedExchange implements Exchange {
  readonly #inner: Exchange;

  constructor(inner: Exchange) {
    this.#inner = inner;
  }

  get httpVersion(): 1 | 2 {
    return this.#inner.httpVersion;
  }
  get method(): string {
    return this.#inner.method;
  }
  get scheme(): "http" | "https" {
    return this.#inner.scheme;
  }
  get authority(): string {
    return this.#inner.authority;
  }
  get path(): string {
    return this.#inner.path;
  }
  get query(): string | undefined {
    return this.#inner.query;
  }
  get headers(): IncomingHttpHeaders {
    return this.#inner.headers;
  }
  get rawHeaders(): readonly string[] | undefined {
    return this.#inner.rawHeaders;
  }
  get isHttp10(): boolean {
    return this.#inner.isHttp10 === true;
  }
  get socket(): Socket {
    return this.#inner.socket;
  }
  get peer(): string {
    return this.#inner.peer;
  }
  get proxy(): string | undefined {
    return this.#inner.proxy;
  }
  get isHeadSent(): boolean {
    return this.#inner.isHeadSent;
  }
  get isClosed(): boolean {
    return this.#inner.isClosed;
  }
  get isFinished(): boolean {
    return this.#inner.isFinished;
  }
  get resetCode(): number {
    return this.#inner.resetCode;
  }
  get maxHeaderBytes(): number {
    return this.#inner.maxHeaderBytes;
  }
  get refusalHeaders(): Readonly<OutgoingHttpHeaders> | undefined {
    return this.#inner.refusalHeaders;
  }
  set refusalHeaders(headers: Readonly<OutgoingHttpHeaders> | undefined) {
    this.#inner.refusalHeaders = headers;
  }
  get passOn(): (() => void) | undefined {
    return this.#inner.passOn;
  }

  sendHead(status: number, headers: OutgoingHttpHeaders, hasTrailers?: boolean): void {
    this.#inner.sendHead(status, headers, hasTrailers);
  }
  sendPreparedHead(head: PreparedHead, hasTrailers?: boolean): void {
    this.#inner.sendPreparedHead(head, hasTrailers);
  }
  sendHeadOnly(status: number, headers: OutgoingHttpHeaders): void {
    this.#inner.sendHeadOnly(status, headers);
  }
  write(chunk: Uint8Array): boolean {
    return this.#inner.write(chunk);
  }
  end(chunk?: Body, trailers?: OutgoingHttpHeaders): void {
    this.#inner.end(chunk, trailers);
  }
  cut(): void {
    this.#inner.cut();
  }
  attach(owner: ExchangeOwner): void {
    this.#inner.attach(owner);
  }
  read(): void {
    this.#inner.read();
  }
  pause(): void {
    this.#inner.pause();
  }
}
