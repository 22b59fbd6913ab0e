// Compiles and restarts on every change.
import { spawn } from "node:child_process";

// A restart does not wait for open calls.
const env = { MANYWIRE_DRAIN_TIMEOUT: "0", ...process.env };
const start = (command) => spawn(command, { stdio: "inherit", shell: true, env });
const compiler = start("tsc --watch --preserveWatchOutput");
const server = start("node --watch dist/server.js");
for (const child of [compiler, server]) child.once("exit", () => process.exit());
