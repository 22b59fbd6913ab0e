// Whether a call may begin. The server decides that by the head of its request, before it reads the body.
import type { ConnectError } from "@connectrpc/connect";
import type { Method } from "./method.js";

/** Counts calls, and refuses some of them. */
export interface Admission {
  /** Counts a call, or returns the error that refuses it. The error may be shared: it must not be changed. */
  begin(method: Method): ConnectError | undefined;
  /** Called once at the end of each call that was counted. */
  end(method: Method): void;
}
