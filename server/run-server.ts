// `runServer`, without a burden on programs that only use `createServer`: what it needs is loaded when it is called.
import type { ServerOptions } from "./options.js";
import type { Server } from "./server.js";

/**
 * Serves until a signal ends the process, as `manywire serve` does: reads `MANYWIRE_…` and `PORT` from the environment, whose
 * settings count before `options`; logs to standard error; prints the banner; drains on SIGTERM and SIGINT; reads certificate
 * files again on SIGHUP. Resolves when the server listens. If it cannot start, writes one line that says why and exits with
 * the code of the command.
 *
 * With `MANYWIRE_WORKERS` it runs this program again in each worker process, where it resolves. In the first process it does
 * not resolve; SIGHUP then replaces the workers.
 */
export async function runServer(options: ServerOptions): Promise<Server> {
  const command = await import("./command/run-server.js");
  return command.runServer(options);
}
