#!/usr/bin/env node
/** The client's command as a process. */
import { runCommand } from "./command.js";

// A reader that leaves early (`… | head -1`) is no failure to report.
process.stdout.on("error", () => process.exit());
process.exitCode = await runCommand(process.argv.slice(2), process);
