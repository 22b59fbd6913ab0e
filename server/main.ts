#!/usr/bin/env node
// The command `manywire` as a process.
import { runCommand } from "./command/command.js";
import { isTool } from "./command/command-line.js";
import { ignoreClosedOutput } from "./command/lifecycle.js";
import { openSink } from "./operate/log.js";

ignoreClosedOutput(process);
const argv = process.argv.slice(2);
// Loaded only here: a server calls none.
if (isTool(argv[0])) process.exitCode = await (await import("./command/tools/tools.js")).runTool(argv, process);
else await runCommand(process, () => openSink(process.stderr));
