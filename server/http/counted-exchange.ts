// Counts the bytes of a response body.
import type { OutgoingHttpHeaders } from "node:http";
import type { Body } from "./exchange.js";
import { WrappedExchange } from "./wrapped-exchange.js";

/** An exchange that knows how much of its body was given to the connection. */
export class CountedExchange extends WrappedExchange {
  bytesSent = 0;

  override write(chunk: Uint8Array): boolean {
    this.bytesSent += chunk.length;
    return super.write(chunk);
  }

  override end(chunk?: Body, trailers?: OutgoingHttpHeaders): void {
    const bytes = chunk === undefined ? 0 : Buffer.byteLength(chunk);
    // Before it is sent, because the exchange may close at once.
    this.bytesSent += bytes;
    try {
      super.end(chunk, trailers);
    } catch (reason) {
      this.bytesSent -= bytes;
      throw reason;
    }
  }
}
