#!/usr/bin/env node
/** The client's command as a process. */
import { run } from "./command.js";

// A reader that leaves early (`… | head -1`) is no failure to report.
process.stdout.on("error", () => process.exit());
process.exitCode = await run(process.argv.slice(2), process);
