// Reports errors that no call ends with: of connections, and of the application's own callbacks.

/** Called with an error and what the server was doing. */
export type ErrorReport = (error: Error, step: string) => void;

/** Steps that are callbacks of the application. Connections and clients cause the other steps. */
export const applicationSteps: ReadonlySet<string> = new Set(["handler", "observer", "abort listener", "error shape"]);

/**
 * Returns a report that never throws, and calls the application's. Without one, errors of the application's callbacks become
 * warnings of the process, which Node prints to stderr, and errors of connections are dropped. An error that the
 * application's report throws becomes such a warning, too.
 */
export function createReport(report: ErrorReport | undefined): ErrorReport {
  const warn = (error: Error) => process.emitWarning(error);
  const call = report ?? ((error, step) => applicationSteps.has(step) && warn(error));
  return (error, step) => {
    try {
      call(error, step);
    } catch (reason) {
      warn(reason instanceof Error ? reason : new Error(String(reason)));
    }
  };
}
