#!/usr/bin/env node
// The command `manywire` as a process.
import { runCommand } from "./command/command.js";
import { ignoreClosedOutput } from "./command/lifecycle.js";
import { openSink } from "./operate/log.js";

ignoreClosedOutput(process);
await runCommand(process, () => openSink(process.stderr));
