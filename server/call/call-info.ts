// Who makes a call, and with which request. Nothing is made of the request before it is read.
import { type RequestHead, type RequestInfo, toRequestInfo } from "../http/exchange.js";
import { header } from "../http/header.js";

/** The request of a call, and its client. Everything is read from the request on first use. */
export interface CallInfo {
  /**
   * Identifies the call in logs: the `x-request-id` of the request, if it has 1 to 128 characters and all are visible ASCII.
   * Otherwise one is made, which is unique.
   */
  readonly requestId: string;
  /** Address of the client, `127.0.0.1` or `::1`. Empty over a Unix socket, and for a call from inside the process. */
  readonly peer: string;
  /** The head of the request. */
  readonly request: RequestInfo;
}

/** The information on a call, made from the head of its request. */
export class HeadInfo implements CallInfo {
  readonly head: RequestHead;
  #requestId: string | undefined;
  #request: RequestInfo | undefined;

  constructor(head: RequestHead) {
    this.head = head;
  }

  get requestId(): string {
    this.#requestId ??= readRequestId(this.head) ?? makeRequestId();
    return this.#requestId;
  }

  get peer(): string {
    return this.head.peer;
  }

  get request(): RequestInfo {
    this.#request ??= toRequestInfo(this.head);
    return this.#request;
  }
}

const visible = /^[!-~]{1,128}$/;

function readRequestId({ headers }: RequestHead): string | undefined {
  const id = header(headers, "x-request-id");
  return id !== undefined && visible.test(id) ? id : undefined;
}

/** Random, so that the identifiers of two processes differ. Workers of Cloudflare make nothing random while they start. */
let processPart: string | undefined;
let made = 0;

/** 12 hexadecimal digits of the process, and the number of the identifier. A random one for every call takes 10 times as long. */
function makeRequestId(): string {
  processPart ??= crypto.randomUUID().slice(-12);
  return `${processPart}-${(++made).toString(36)}`;
}
