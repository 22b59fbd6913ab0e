// HAProxy and nginx in front of two servers: calls of all protocols are spread over both, and none is lost when one of them
// gets SIGTERM.
import { describe, expect, it, onTestFinished } from "vitest";
import { restRules } from "../../support/load/calls.js";
import { startLoad } from "../../support/load/load.js";
import { openMix } from "../../support/load/mix.js";
import { type Child, startChild } from "../../support/process/child.js";
import { hasProgram } from "../../support/program.js";
import { haproxy, nginx, type ProxyProgram, startProxy } from "./proxy.js";

const lanes = [
  ["fast lane", true],
  ["reference lane", false],
] as const;

/** A caller with a call each in 50 ms: 200 calls a second. */
const intervalMs = 50;
const enoughCalls = 200;

/** The time that a server continues after SIGTERM, for the proxy to notice. */
const drainDelayMs = 3500;

async function start(fastLane: boolean): Promise<Child> {
  const child = await startChild({ fastLane, httpRules: restRules, drainDelayMs, drainTimeoutMs: 5000 });
  onTestFinished(async () => {
    child.process.kill("SIGKILL");
    await child.exit;
  });
  return child;
}

function judge(program: ProxyProgram): void {
  // In CI a missing program is a failure.
  const isSkipped = process.env.CI === undefined && !hasProgram(program.command);
  const note = isSkipped ? ` (skipped: ${program.command} is not on the PATH)` : "";

  describe.skipIf(isSkipped).each(lanes)(`${program.name}, %s${note}`, (_, fastLane) => {
    it("loses no call of any protocol while one of two servers ends by SIGTERM", async () => {
      const [leaving, staying] = [await start(fastLane), await start(fastLane)];
      const proxy = await startProxy(program, [leaving.url, staying.url]);
      const load = startLoad(openMix(proxy), intervalMs);
      await expect.poll(() => load.answered, { timeout: 10_000 }).toBeGreaterThan(enoughCalls);
      leaving.process.kill("SIGTERM");
      await proxy.leave(leaving.url);
      expect(await leaving.exit).toEqual({ code: 0, signal: null, stderr: "" });
      const before = load.answered;
      await expect.poll(() => load.answered, { timeout: 10_000 }).toBeGreaterThan(before + enoughCalls);
      load.stop();
      const { answered, turnedAway, lost } = await load.ended;
      expect({ turnedAway, count: lost.length, lost: lost.slice(0, 3) }).toEqual({ turnedAway: 0, count: 0, lost: [] });
      const { calls } = (await leaving.last).report;
      expect(calls).toBeGreaterThan(enoughCalls / 4);
      expect((await staying.report()).calls).toBe(answered - calls);
    });
  });
}

judge(haproxy);
judge(nginx);
