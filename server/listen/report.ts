// What a listener reports that belongs to no call.

/** What a listener was doing when an error came up. */
export type ListenStep = "accept" | "proxy header" | "tls handshake" | "http/1.1" | "http/2" | "handler";

/** Called with errors that are worth a log line. Must not throw. */
export type Report = (error: Error, step: ListenStep) => void;

/** Whether an error says that the client has disconnected, which is no fault of anybody. */
export function isDisconnect({ code }: NodeJS.ErrnoException): boolean {
  return code === "ECONNRESET" || code === "EPIPE";
}
