// What a listener reports that belongs to no call.

/** What a listener was doing when an error came up. */
export type ListenStep = "accept" | "tls handshake" | "http/1.1" | "http/2" | "handler";

/** Is told of what is worth a line in a log. Must not throw. */
export type Report = (error: Error, step: ListenStep) => void;
