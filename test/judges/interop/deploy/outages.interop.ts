// HAProxy and nginx, with the configurations of docs/deploy, before three servers: what callers lose when servers restart one
// after another, when one is killed, and when one is away without a word.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LostCall } from "../../../support/load/main.js";
import type { Child } from "../../../support/process/child.js";
import { hasProgram } from "../../../support/program.js";
import { missingForNetworks } from "./networks.js";
import { type Calls, type Front, haproxy, nginx, Stage, serverAddresses } from "./stage.js";

/** Ten callers with a call each in this time: 300 calls a second. */
const intervalMs = 33;
/** The longest call takes 0.2 s, where the machine has time. */
const limitMs = 8000;
/** A call takes this long to get to a server. */
const onTheWayMs = 50;
const [victim = ""] = serverAddresses;

/** Why a proxy cannot be judged here. In CI that is a failure. */
function missingFor({ command }: Front): string | undefined {
  if (process.env.CI !== undefined) return undefined;
  return hasProgram(command) ? missingForNetworks() : `${command} is not on the PATH`;
}

const more = (calls: Calls, count: number) => {
  const least = calls.answered + count;
  return expect.poll(() => calls.answered, { timeout: 10_000, interval: 20 }).toBeGreaterThan(least);
};

/** Until a server has had a few calls, since which the proxy knows that it is there. */
const getsCalls = (server: Child, before = 0) =>
  expect
    .poll(async () => (await server.report()).calls, { timeout: 10_000, interval: 200 })
    .toBeGreaterThan(before + 5);

const begunAfter = (lost: readonly LostCall[], timeMs: number) => lost.filter(({ beganMs }) => beganMs > timeMs);

function judge(front: Front): void {
  const missing = missingFor(front);
  const note = missing === undefined ? "" : ` (skipped: ${missing})`;

  describe.skipIf(missing !== undefined)(`docs/deploy/${front.file}${note}`, () => {
    let stage: Stage;

    beforeAll(async () => {
      stage = await Stage.open(front);
    });
    afterAll(() => stage?.[Symbol.asyncDispose]());

    const tell = (scenario: string, { answered, lost }: { answered: number; lost: readonly LostCall[] }) =>
      process.stdout.write(`${front.name}, ${scenario}: ${answered} calls answered, ${lost.length} lost\n`);

    it("says what the client has called, and nothing that the client has written about it", async () => {
      const forged = ["x-forwarded-host: forged.test", "x-forwarded-port: 1", "x-forwarded-proto: http"];
      const page = await stage.getPage(["accept: text/plain", ...forged, "forwarded: host=forged.test;proto=http"]);
      expect(page).toContain("https://localhost");
      expect(page).not.toContain("forged.test");
    });

    it("loses no call while each server in turn drains and restarts", { timeout: 60_000 }, async () => {
      const calls = stage.call(intervalMs, limitMs);
      await more(calls, 200);
      for (const address of serverAddresses) {
        const server = stage.server(address);
        server.process.kill("SIGTERM");
        expect(await server.exit).toEqual({ code: 0, signal: null, stderr: "" });
        await stage.start(address);
        await getsCalls(stage.server(address));
      }
      const { answered, turnedAway, lost } = await calls.end();
      tell("rolling restart", { answered, lost });
      expect({ turnedAway, count: lost.length, lost: lost.slice(0, 3) }).toEqual({ turnedAway: 0, count: 0, lost: [] });
    });

    it("loses only the calls on a server that is killed", async () => {
      const calls = stage.call(intervalMs, limitMs);
      await more(calls, 200);
      const server = stage.server(victim);
      server.process.kill("SIGKILL");
      await server.exit;
      // Until then the system still takes calls for it.
      const goneMs = Date.now();
      await more(calls, 400);
      await stage.start(victim);
      await more(calls, 200);
      const { answered, turnedAway, lost } = await calls.end();
      tell("a server killed", { answered, lost });
      expect({ turnedAway, late: begunAfter(lost, goneMs + onTheWayMs) }).toEqual({ turnedAway: 0, late: [] });
      expect(lost.length).toBeLessThan(300 * 0.3);
    });

    it("sends no calls to a host that is away without a word, once it has noticed", async () => {
      const calls = stage.call(intervalMs, limitMs);
      await more(calls, 200);
      await stage.network.plug(victim, false);
      const cutMs = Date.now();
      await delay(front.noticeMs);
      await more(calls, 400);
      const { answered, turnedAway, lost } = await calls.end();
      tell("a host away", { answered, lost });
      expect({ turnedAway, late: begunAfter(lost, cutMs + front.noticeMs) }).toEqual({ turnedAway: 0, late: [] });
      expect(lost.length).toBeLessThan(150);
      const { silenceMs = limitMs } = front;
      const longest = lost.map(({ beganMs, endedMs }) => endedMs - Math.max(beganMs, cutMs));
      expect(Math.max(0, ...longest)).toBeLessThan(silenceMs + onTheWayMs);
    });

    it("sends calls to it again when it is back", async () => {
      await stage.network.plug(victim, true);
      const before = (await stage.server(victim).report()).calls;
      const calls = stage.call(intervalMs, limitMs);
      await getsCalls(stage.server(victim), before);
      const { turnedAway, lost } = await calls.end();
      expect({ turnedAway, lost }).toEqual({ turnedAway: 0, lost: [] });
    });
  });
}

judge(haproxy);
judge(nginx);
