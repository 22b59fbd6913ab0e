#!/usr/bin/env node
/** The client's command as a process. */
import { runCommand } from "./command.js";

// A reader that closes the pipe early (`… | head -1`) is not a failure.
process.stdout.on("error", () => process.exit());
process.exitCode = await runCommand(process.argv.slice(2), process);
