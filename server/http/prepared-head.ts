// A response head that many responses share.
import type { OutgoingHttpHeaders } from "node:http";
import { headerBytes } from "./header.js";

/** Status and headers that are made once, for many responses. Each HTTP version encodes them once. */
export class PreparedHead {
  readonly status: number;
  readonly headers: Readonly<OutgoingHttpHeaders>;
  /** Size of the headers in bytes, as `headerBytes` counts them. */
  readonly bytes: number;
  /** The head as Node's `http2` takes it, with `:status`. */
  readonly http2: Readonly<OutgoingHttpHeaders>;

  constructor(status: number, headers: Readonly<OutgoingHttpHeaders>) {
    this.status = status;
    this.headers = headers;
    this.bytes = headerBytes(headers);
    this.http2 = { ":status": status, ...headers };
  }
}
