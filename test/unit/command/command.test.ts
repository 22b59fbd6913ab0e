import { describe, expect, it } from "vitest";
import { type CommandProcess, runCommand } from "../../../server/command/command.js";

/** Runs the command in this process until it listens, ends it by a signal, and returns what it wrote. */
async function runToItsEnd(argv: string[], stderr: { isTTY?: boolean; hasColors?: () => boolean } = {}) {
  const written = { stdout: "", stderr: "", log: "" };
  const listeners = new Map<string, (signal: string) => void>();
  let exit: (code: number) => void = () => {};
  const exited = new Promise<number>((resolve) => {
    exit = resolve;
  });
  const process = {
    argv: ["node", "main.js", "--port", "0", ...argv],
    env: {},
    stdout: { write: (text: string) => (written.stdout += text) },
    stderr: { ...stderr, write: (text: string) => (written.stderr += text) },
    on: (event: string, listener: (signal: string) => void) => listeners.set(event, listener),
    exit: (code: number) => exit(code),
  } as unknown as CommandProcess;
  await runCommand(process, () => ({ write: (line) => (written.log += line), end: async () => {} }));
  listeners.get("SIGTERM")?.("SIGTERM");
  return { ...written, exitCode: await exited };
}

const pretty = /^\[\d\d:\d\d:\d\d\] INFO: listening \{"url":"http:/;
const json = /^\{"level":"info","time":"[^"]+","url":"[^"]+","msg":"listening"\}\n/;

describe("the format of the log", () => {
  it.each([
    ["auto", true, pretty],
    ["auto", false, json],
    ["json", true, json],
    ["pretty", false, pretty],
  ])("%s is right where standard error being a terminal is %s", async (format, isTTY, expected) => {
    const { log, exitCode } = await runToItsEnd(["--log-format", format], { isTTY });
    expect(log).toMatch(expected);
    expect(exitCode).toBe(0);
  });

  it("has colours where standard error has them", async () => {
    const { log } = await runToItsEnd([], { isTTY: true, hasColors: () => true });
    expect(log).toContain("\u001b[");
  });
});

it("the banner is on standard output and nothing is on standard error but the log", async () => {
  const { stdout, stderr } = await runToItsEnd([]);
  expect(stdout).toMatch(/^manywire \S+ serves hello_world\.Greeter on http:/);
  expect(stderr).toBe("");
});
