// Compiles and restarts on every change.
import { spawn } from "node:child_process";

const start = (command) => spawn(command, { stdio: "inherit", shell: true });
const compiler = start("tsc --watch --preserveWatchOutput");
const server = start("node --watch dist/server.js");
for (const child of [compiler, server]) child.once("exit", () => process.exit());
