#!/usr/bin/env node
// The command `manywire` as a process.
import { run } from "./command/command.js";
import { openSink } from "./operate/log.js";

// A reader of the banner that has left is nothing to end for.
process.stdout.on("error", () => {});
await run(process, () => openSink(2));
