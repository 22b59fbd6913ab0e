import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Refresher } from "../../../server/upstream/refresher.js";
import { TestClock, turns } from "../../support/clock.js";

/** A refresher whose readings last until a test ends them. */
function setUp() {
  const clock = new TestClock();
  const readings: { readonly startMs: number; readonly end: (error?: Error) => Promise<void> }[] = [];
  const startMs = clock.now();
  const read = () =>
    new Promise<void>((resolve, reject) => {
      const end = async (error?: Error) => {
        if (error === undefined) resolve();
        else reject(error);
        await turns();
      };
      readings.push({ startMs: clock.now() - startMs, end });
    });
  const refresher = new Refresher(read, clock);
  const pass = async (ms: number) => {
    clock.advance(ms);
    await turns();
  };
  return { refresher, pass, readings, starts: () => readings.map((reading) => reading.startMs) };
}

const unavailable = new ConnectError("not there", Code.Unavailable);
const broken = new Error("broken");

describe("a refresher", () => {
  test("reads at once at the start", async () => {
    const { refresher, pass, starts } = setUp();
    refresher.request("start");
    await pass(0);
    expect(starts()).toEqual([0]);
  });

  test("takes the first connection as the one that it reads by", async () => {
    const { refresher, pass, readings, starts } = setUp();
    refresher.request("start");
    await pass(0);
    refresher.request("connection");
    await readings[0]?.end();
    await pass(1000);
    expect(starts()).toEqual([0]);
    refresher.request("connection");
    await pass(1000);
    expect(starts()).toEqual([0, 1050]);
  });

  test("takes reasons that come together as one, and those that come while it reads as one more", async () => {
    const { refresher, pass, readings, starts } = setUp();
    refresher.request("start");
    await pass(0);
    await readings[0]?.end();
    for (let count = 0; count < 5; count++) refresher.request("connection");
    await pass(1000);
    for (let count = 0; count < 5; count++) refresher.request("connection");
    await pass(1000);
    expect(starts()).toEqual([0, 50]);
    await readings[1]?.end();
    await pass(1000);
    expect(starts()).toEqual([0, 50, 2250]);
    await readings[2]?.end();
    await pass(60_000);
    expect(starts().length).toBe(3);
  });

  test("heeds contradictions every ten seconds only", async () => {
    const { refresher, pass, readings, starts } = setUp();
    for (let second = 0; second < 25; second++) {
      refresher.request("contradiction");
      await pass(1000);
      await readings.at(-1)?.end();
    }
    expect(starts()).toEqual([50, 11_000, 21_000]);
  });

  test.each([
    ["which cannot be reached within 1.2 s", unavailable, 1200],
    ["which sends what cannot be used within 12 s", broken, 12_000],
  ])("tries a server again, %s", async (_, error, maxMs) => {
    const { refresher, pass, readings, starts } = setUp();
    refresher.request("start");
    await pass(0);
    for (let count = 0; count < 15; count++) {
      const before = readings.length;
      await readings.at(-1)?.end(error);
      while (readings.length === before) await pass(10);
    }
    const waits = starts().map((start, index, all) => start - (all[index - 1] ?? start));
    expect(Math.max(...waits)).toBeLessThanOrEqual(maxMs + 10);
    expect(Math.max(...waits)).toBeGreaterThan(maxMs * 0.66);
    await readings.at(-1)?.end();
    await pass(60_000);
    expect(readings.length).toBe(16);
  });

  test("tells who asks what became of a reading that began later", async () => {
    const { refresher, pass, readings } = setUp();
    refresher.request("start");
    await pass(0);
    const asked = refresher.refresh().then(
      () => "done",
      (error: Error) => error.message,
    );
    await readings[0]?.end();
    await pass(0);
    expect(readings.length).toBe(2);
    await readings[1]?.end(broken);
    expect(await asked).toBe("broken");
  });

  test("reads no more when it is closed", async () => {
    const { refresher, pass, readings } = setUp();
    const asked = refresher.refresh().catch((error: Error) => error.message);
    refresher.close(new Error("closed"));
    refresher.request("start");
    await pass(1000);
    expect([await asked, readings.length]).toEqual(["closed", 0]);
  });
});
