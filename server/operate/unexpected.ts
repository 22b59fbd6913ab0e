// Writes unexpected errors of handlers to standard error, for servers without a log.
import { Code, type ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";

import type { ErrorReport } from "./report.js";

/** Codes that speak of the server. With others the cause is what the client sent, and may quote it. */
const faults: ReadonlySet<Code> = new Set([Code.Unknown, Code.Internal, Code.DataLoss]);

/** Whether an unexpected error of the application ended a call: it is the `cause`. */
export function isUnexpected(error: ConnectError | undefined): error is ConnectError {
  return error?.cause !== undefined && faults.has(error.code);
}

/** Takes unexpected errors. A logger of pino is one, and `console`. */
export interface ErrorLogger {
  error(fields: { readonly method: string; readonly code: string; readonly err: unknown }, message: string): void;
}

/** Makes what passes unexpected errors to a logger. What it throws is reported. */
export function logUnexpected(logger: ErrorLogger, report: ErrorReport): (path: string, error: ConnectError) => void {
  return (path, error) => {
    if (!isUnexpected(error)) return;
    try {
      logger.error({ method: path.slice(1), code: codeToString(error.code), err: error.cause }, "call failed");
    } catch (reason) {
      report(reason instanceof Error ? reason : new Error(String(reason)), "observer");
    }
  };
}

/** Writes the stack of an unexpected error. Errors that the handler wrote for its client are not written. Never throws. */
export function writeUnexpected(path: string, error: ConnectError): void {
  if (!isUnexpected(error)) return;
  // biome-ignore lint/suspicious/noConsole: runtimes without `process.stderr` have it, and it ignores a closed pipe.
  console.error(`${path.slice(1)} ended with ${codeToString(error.code)}: ${stackOf(error.cause)}`);
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
