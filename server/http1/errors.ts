// What is wrong with the bytes of a client, so that nothing that follows them can be understood.

/** A malformed request of HTTP/1.1. It is the last one of its connection. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** Status of the response to it. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
