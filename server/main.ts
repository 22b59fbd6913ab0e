#!/usr/bin/env node
// The command `manywire` as a process.
import { run } from "./command/command.js";
import { openSink } from "./operate/log.js";

// A reader of the banner or of the log that has left is nothing to end for.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
await run(process, () => openSink(process.stderr));
