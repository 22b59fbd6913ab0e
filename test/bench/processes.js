// The child processes of a run. None of them outlives it.
import { execFile, fork, spawnSync } from "node:child_process";
import os from "node:os";
import { fileURLToPath } from "node:url";

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */

/** @type {Set<ChildProcess>} */
const running = new Set();

/** Ends every child when this process ends, whether by itself, by an error or by Ctrl-C. To be called once. */
export function endChildrenWithUs() {
  process.on("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}

/**
 * @template {ChildProcess} T
 * @param {T} child
 * @returns {T}
 */
export function track(child) {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** @param {ChildProcess} child @returns {Promise<void>} settles when the process has ended */
export function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

const cores = os.availableParallelism();
const canPin = cores > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** Which cores the server has, and which the load. */
export const pinning = canPin ? `server on core 0, load on ${loadCores()}` : "none: needs taskset and two cores";

function loadCores() {
  return cores === 2 ? "1" : `1-${cores - 1}`;
}

/**
 * Returns a command that runs on the core of the server, or on the others, so that the load takes none of the server's time.
 * @param {"server" | "load"} side
 * @param {string[]} command
 */
export function pin(side, command) {
  return canPin ? ["taskset", "-c", side === "server" ? "0" : loadCores(), ...command] : command;
}

/** What taskset says by its exit code, if the program is missing. */
const notFound = 127;

/**
 * @typedef {object} RunOptions
 * @property {NodeJS.ProcessEnv} [env] further variables
 * @property {number} timeout in milliseconds
 * @property {string} install what to do if the program is missing
 */

/**
 * Runs a program that makes load to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {RunOptions} options
 */
export const run = (program, args, options) => runProgram("load", program, args, options);

/**
 * Runs a program to its end.
 * @param {"server" | "load"} side
 * @param {string} program
 * @param {string[]} args
 * @param {RunOptions} options
 * @returns {Promise<string>} its standard output
 */
export function runProgram(side, program, args, { env, timeout, install }) {
  return new Promise((resolve, reject) => {
    const onEnd = (/** @type {any} */ error, /** @type {string} */ stdout, /** @type {string} */ stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === "ENOENT" || error.code === notFound)
        reject(new Error(`${program}: not found on the PATH; ${install}`));
      else if (error.killed) reject(new Error(`${program}: not done after ${timeout / 1000} s\n${stdout}${stderr}`));
      else reject(new Error(`${error.message}\n${stdout}${stderr}`));
    };
    const [command = program, ...rest] = pin(side, [program, ...args]);
    track(execFile(command, rest, { env: { ...process.env, ...env }, timeout, killSignal: "SIGKILL" }, onEnd));
  });
}

/** A program of this folder in a process of its own, which is asked one thing at a time. */
export class Helper {
  /** @type {ChildProcess} */
  #child;

  /**
   * @param {string} file beside this one
   * @param {{ side?: "server" | "load", execPath?: string, execArgv?: string[] }} [options]
   */
  constructor(file, { side = "load", execPath = process.execPath, execArgv = [] } = {}) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const [command = execPath, ...before] = pin(side, [execPath, ...execArgv]);
    const options = { execPath: command, execArgv: before };
    this.#child = track(fork(path, { ...options, stdio: ["ignore", "inherit", "inherit", "ipc"] }));
  }

  /**
   * @param {string} what
   * @param {object} [details]
   * @returns {Promise<any>}
   */
  ask(what, details = {}) {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const onExit = (/** @type {number | null} */ code, /** @type {string | null} */ signal) =>
        reject(new Error(`asked for "${what}", a helper process ended with ${signal ?? code}`));
      child.once("exit", onExit);
      child.once("message", (/** @type {any} */ { result, error }) => {
        child.off("exit", onExit);
        if (error === undefined) resolve(result);
        else reject(new Error(error));
      });
      child.send({ ask: what, ...details });
    });
  }

  /** @returns {Promise<void>} settles when the process has ended */
  stop() {
    return stop(this.#child);
  }
}
