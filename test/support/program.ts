// Runs a program as a person would, beside a server in this process.
import { spawn, spawnSync } from "node:child_process";

export interface Outcome {
  /** The exit code; -1 if a signal ended the program. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** What the program reads from its standard input; or when that ends. */
  stdin?: string | Uint8Array | Promise<void>;
  env?: NodeJS.ProcessEnv;
  /** The folder to run it in. Default: that of this process. */
  cwd?: string;
  /** Then the program is killed, in milliseconds. */
  limitMs?: number;
}

/** Rejects only if the program cannot be started. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { stdin = "", env = process.env, cwd, limitMs = 15_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, timeout: limitMs, killSignal: "SIGKILL" });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, ...output }));
    child.stdin.on("error", () => {}); // A program that does not read is no failure.
    if (stdin instanceof Promise) stdin.then(() => child.stdin.end(), reject);
    else child.stdin.end(stdin);
  });
}

/** The standard output of a program that succeeds. */
export async function outputOf(command: string, args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Whether the program is on the PATH. */
export function hasProgram(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;
}
