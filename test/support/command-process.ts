// The command as a process of its own, with all that it writes.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import type { Readable } from "node:stream";

/** How a process ended, and what it wrote. */
export interface Outcome {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A line of the log. */
type LogLine = Record<string, unknown> & { msg: string };

interface CommandOptions {
  /** The file of the command, with arguments of Node before it if there are any. */
  main: readonly string[];
  argv?: readonly string[];
  /** Besides `PATH`, which is all that is passed on. */
  env?: Record<string, string>;
  /** Descriptor of a socket that listens, which the command gets as systemd would pass it. */
  socket?: number;
}

/** The variables of sd_listen_fds(3). The shell has the number of the process that it becomes. */
const passSocket = ["sh", "-c", 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"', "sh"];

/** How long a process may take to write or to end what a test waits for. */
const patienceMs = 40_000;

/** To be disposed, which kills it. */
export class CommandProcess implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #changes = new EventEmitter();
  #hasEnded = false;
  /** Resolves when the process has ended and its output has been read. */
  readonly ended: Promise<Outcome>;
  /** Resolves when the process has ended, with its exit code. */
  readonly exited: Promise<number | null>;
  stdout = "";
  stderr = "";

  constructor({ main, argv = [], env = {}, socket }: CommandOptions) {
    const { PATH = "" } = process.env;
    const passing = socket === undefined ? [] : passSocket;
    const [file = "", ...args] = [...passing, process.execPath, ...main, ...argv];
    const sockets = socket === undefined ? [] : [socket];
    this.#child = spawn(file, args, {
      stdio: ["ignore", "pipe", "pipe", ...sockets],
      env: { PATH, ...env },
      timeout: 2 * patienceMs,
      killSignal: "SIGKILL",
    }) as ChildProcessByStdio<null, Readable, Readable>;
    this.#child.stdout.setEncoding("utf8").on("data", (text) => this.#change({ stdout: text }));
    this.#child.stderr.setEncoding("utf8").on("data", (text) => this.#change({ stderr: text }));
    this.exited = once(this.#child, "exit").then(([exitCode]) => exitCode);
    this.ended = once(this.#child, "close").then(([exitCode, signal]) => {
      this.#hasEnded = true;
      this.#change({});
      return { exitCode, signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  #change({ stdout = "", stderr = "" }): void {
    this.stdout += stdout;
    this.stderr += stderr;
    this.#changes.emit("change");
  }

  /** The whole lines of the log so far. */
  get log(): LogLine[] {
    const lines = this.stderr.split("\n").slice(0, -1);
    return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  /** Where the process listens, as its log says. */
  async url(): Promise<string> {
    const line = await this.logged("listening");
    return String(line.url);
  }

  /** The first line of the log with this message after `from` others; waits for it. */
  logged(message: string, from = 0): Promise<LogLine> {
    return this.until(`the line "${message}"`, () => this.log.slice(from).find(({ msg }) => msg === message));
  }

  /** Waits until the output is such that `find` finds something in it. */
  async until<Found>(what: string, find: () => Found | undefined): Promise<Found> {
    const deadline = AbortSignal.timeout(patienceMs);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`expected ${what}, found the end of: ${this.stdout}${this.stderr}`);
      await once(this.#changes, "change", { signal: deadline });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops reading for now. Until `resume`, `ended` waits as well. */
  pause(stream: "stdout" | "stderr"): void {
    this.#child[stream].pause();
  }

  resume(stream: "stdout" | "stderr"): void {
    this.#child[stream].resume();
  }

  /** Stops reading, as a reader that has left. */
  leave(stream: "stdout" | "stderr"): void {
    this.#child[stream].destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}
