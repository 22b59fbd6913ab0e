// Writes unexpected errors of handlers to standard error, for servers without a log.
import { Console } from "node:console";
import { Code, type ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";

/** Codes that speak of the server. With others the cause is what the client sent, and may quote it. */
const faults: ReadonlySet<Code> = new Set([Code.Unknown, Code.Internal, Code.DataLoss]);

/** Whether an unexpected error of the application ended a call: it is the `cause`. */
export function isUnexpected(error: ConnectError | undefined): error is ConnectError {
  return error?.cause !== undefined && faults.has(error.code);
}

/** Writes the stack of an unexpected error. Errors that the handler wrote for its client are not written. Never throws. */
export function writeUnexpected(path: string, error: ConnectError): void {
  if (!isUnexpected(error)) return;
  // A Console ignores a closed pipe.
  const output = new Console(process.stderr);
  output.error(`${path.slice(1)} ended with ${codeToString(error.code)}: ${stackOf(error.cause)}`);
}

/** The stack, and those of its causes. Properties are left out: libraries keep requests and their headers there. */
function stackOf(reason: unknown, depth = 0): string {
  try {
    if (!(reason instanceof Error)) return `the thrown value ${String(reason)}`;
    const stack = reason.stack ?? String(reason);
    const hasCause = reason.cause !== undefined && depth < maxCauses;
    return hasCause ? `${stack}\n  [cause]: ${stackOf(reason.cause, depth + 1)}` : stack;
  } catch {
    return "a value that cannot be described was thrown";
  }
}

/** Causes may form a cycle. */
const maxCauses = 8;
