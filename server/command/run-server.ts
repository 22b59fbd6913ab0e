// The command for one's own entry: `runServer(options)`.
import { openSink } from "../operate/log.js";
import type { ServerOptions } from "../options.js";
import type { Server } from "../server.js";
import { readConfig } from "./config.js";
import { ignoreClosedOutput } from "./lifecycle.js";
import { reportStartError, serve } from "./serve.js";

/** Does what `manywire serve` does, without a command line. */
export async function runServer(options: ServerOptions): Promise<Server> {
  ignoreClosedOutput(process);
  try {
    const service = { options, module: undefined, client: undefined };
    return await serve(service, readConfig(new Map(), process.env), process, () => openSink(process.stderr));
  } catch (error) {
    reportStartError(error, process);
    // Resources of the program, such as a pool of connections, would keep the process alive.
    process.exit();
  }
}
