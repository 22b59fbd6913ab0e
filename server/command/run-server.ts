// The command for one's own entry: `runServer(options)`.
import { openSink } from "../operate/log.js";
import type { ServerOptions } from "../options.js";
import type { Server } from "../server.js";
import { readConfig } from "./config.js";
import { ignoreClosedOutput } from "./lifecycle.js";
import { reportInRole, serveInRole, startWorkers, takeRole } from "./workers/role.js";

/** Does what `manywire serve` does, without a command line. In the primary of workers it never resolves. */
export async function runServer(options: ServerOptions): Promise<Server> {
  ignoreClosedOutput(process);
  const role = await takeRole();
  const load = () => readConfig(new Map(), process.env);
  const openLog = () => openSink(process.stderr);
  try {
    const config = load();
    if (role === undefined && config.workers > 1) {
      await startWorkers({ config, load }, openLog);
      return await new Promise(() => {});
    }
    return await serveInRole(role, { options, module: undefined, client: undefined }, config, process, openLog);
  } catch (error) {
    await reportInRole(role, error, process);
    // Resources of the program, such as a pool of connections, would keep the process alive.
    process.exit();
  }
}
