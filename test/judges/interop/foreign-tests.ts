// Tests that are written in another language: a program that prints their titles with `--list`, as JSON, and otherwise
// runs them against the server that its environment names, and prints a line of JSON for each: its title and its errors.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  certificateFiles,
  startTarget,
  startTargetForTest,
  type Target,
  type TargetOptions,
  targets,
} from "../../support/foreign-target.js";
import { outputOf, run } from "../../support/program.js";

interface Program {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
}

/** Tells a program in another language which server to call. */
export function environmentFor({ authority }: Target, { security }: TargetOptions): NodeJS.ProcessEnv {
  if (security === "plaintext") return { TARGET_ADDRESS: authority };
  const { authority: ca, client, clientKey } = certificateFiles;
  return { TARGET_ADDRESS: authority, TARGET_CA: ca, TARGET_CERT: client, TARGET_KEY: clientKey };
}

const mutual: [string, TargetOptions] = ["fast lane, mutual TLS", { lane: "fast", security: "mutual TLS" }];

/** Registers the tests of a program, against every kind of server. */
export async function registerTests(name: string, { command, args, env }: Program): Promise<void> {
  const titles: string[] = JSON.parse(await outputOf(command, [...args, "--list"], { env }));
  describe.each([...targets, mutual])(`${name}, %s`, (_, options) => {
    let target: Target;
    const outcomes = new Map<string, string[]>();

    beforeAll(async () => {
      target = await startTarget(options);
      const whole = { ...env, ...environmentFor(target, options) };
      const { stdout, stderr } = await run(command, args, { env: whole, limitMs: 100_000 });
      process.stderr.write(stderr);
      for (const line of stdout.trim().split("\n")) {
        const { title, errors } = JSON.parse(line);
        outcomes.set(title, errors);
      }
    });
    afterAll(() => target.server.close());

    it.each(titles)("%s", (title) => {
      expect(outcomes.get(title)).toEqual([]);
    });
  });
}

/**
 * Registers that a program, which calls until its standard input ends and then prints how often each code was received,
 * gets every response while one server takes the port over from another, and while connections end at their age.
 */
export function registerTakeover(name: string, { command, args, env }: Program): void {
  describe.each(targets)(`${name}, %s`, (_, options) => {
    /** Begins to call a server. `end` resolves with how often each code was received. */
    const keepCalling = (target: Target) => {
      let endInput = () => {};
      const stdin = new Promise<void>((resolve) => {
        endInput = resolve;
      });
      const output = outputOf(command, args, { env: { ...env, ...environmentFor(target, options) }, stdin });
      return {
        async end(): Promise<unknown> {
          endInput();
          return JSON.parse(await output);
        },
      };
    };

    it("loses no call when another server takes the port over", async () => {
      const first = await startTarget(options);
      const calls = keepCalling(first);
      await expect.poll(() => first.finished.length, { timeout: 10_000 }).toBeGreaterThan(100);
      await first.server.close();
      const second = await startTargetForTest({ ...options, port: Number(new URL(first.url).port) });
      await expect.poll(() => second.finished.length, { timeout: 10_000 }).toBeGreaterThan(100);
      expect(await calls.end()).toEqual({ OK: first.finished.length + second.finished.length });
    });

    it("loses no call when connections end at their age", async () => {
      const target = await startTargetForTest({ ...options, maxConnectionAgeMs: 300 });
      const calls = keepCalling(target);
      await expect.poll(() => target.peers.size, { timeout: 15_000 }).toBeGreaterThan(4);
      expect(await calls.end()).toEqual({ OK: target.finished.length });
    });
  });
}
