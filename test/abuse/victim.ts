// A server that is attacked: it has to live, to serve its neighbours meanwhile and afterwards, and to keep nothing.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { type Child, type ChildOptions, startChild } from "../support/process/child.js";
import type { Report } from "../support/process/main.js";
import { openNeighbour1, openNeighbour2, type TimedCall } from "./neighbour.js";
import { recordWaits, repeatIfRecorded } from "./neighbour-table.js";

/** What an attack may cost, in bytes. */
export interface Bounds {
  /** What may be held afterwards, over what was held before. */
  readonly heldBytes?: number;
  /** What may be in use during the attack, over what was held before, garbage included. */
  readonly peakBytes?: number;
  /** How long a neighbour may wait for a response, in milliseconds. Default 5,000. */
  readonly patienceMs?: number;
}

export interface Victim {
  readonly url: string;
  /** During an attack: the bytes that the server holds, garbage collected, over what it held before. */
  grown(): Promise<number>;
  /** Attacks the server, and throws if it does not withstand. The attack is to close what it opened. */
  withstand(attack: (url: string) => Promise<void>, bounds?: Bounds): Promise<Withstood>;
}

/** What an attack did cost. */
interface Withstood {
  readonly before: Report;
  readonly after: Report;
}

/** Limits that make time pass quickly. */
export const quick = {
  openingMs: 300,
  headersMs: 400,
  requestMs: 800,
  keepAliveMs: 1000,
  probeMs: 500,
  lingerMs: 300,
  idleGraceMs: 10,
} as const;

const megabyte = 1024 * 1024;
// Node 24 lets more garbage wait than Node 20.
const defaults = { heldBytes: 6 * megabyte, peakBytes: 128 * megabyte };
const patienceMs = 4000;
const closeMs = 1000;

/** Starts a server before the tests of a file or block, and holds it afterwards to closing quickly, quietly and completely. */
export function useVictim(options: ChildOptions): Victim {
  let child: Child;
  let heldBefore = 0;
  const start = async () => {
    child = await startChild({ limits: quick, drainTimeoutMs: 2000, ...options });
    // Code that runs for the first time needs memory that it keeps.
    await serveNeighbours(child, async () => {});
  };
  // The first file builds the processes.
  beforeAll(start, 60_000);
  afterAll(async () => {
    // A test has failed already that has brought the server to its end.
    const tookMs = await child.close().catch(() => undefined);
    if (tookMs === undefined) return;
    expect(tookMs).toBeLessThan(closeMs);
    expect(await child.exit).toEqual({ code: 0, signal: null, stderr: "" });
  });
  return {
    get url() {
      return child.url;
    },
    async grown() {
      const { heldBytes } = await child.report();
      return heldBytes - heldBefore;
    },
    async withstand(attack, bounds = {}) {
      const { heldBytes, peakBytes } = { ...defaults, ...bounds };
      const before = await child.report().catch(() => start().then(() => child.report()));
      heldBefore = before.heldBytes;
      await child.mark();
      const work = () => repeatIfRecorded(() => attack(child.url));
      const [calls1 = [], calls2 = []] = await serveNeighbours(child, work, bounds.patienceMs);
      recordWaits({ "HTTP/1.1": calls1, "HTTP/2": calls2 });
      const after = await calm(child, before.heldBytes + heldBytes);
      expect(after.peakBytes - before.heldBytes).toBeLessThan(peakBytes);
      return { before, after };
    },
  };
}

/**
 * Does the work while neighbours call, and continues until they have had correct responses afterwards.
 * @returns the calls of each neighbour that met the work
 */
async function serveNeighbours(
  child: Child,
  meanwhile: () => Promise<void>,
  patienceMs?: number,
): Promise<readonly (readonly TimedCall[])[]> {
  const neighbours = await Promise.all([openNeighbour1(child.url, patienceMs), openNeighbour2(child.url, patienceMs)]);
  const stop = () => neighbours.map((one) => one.stop());
  const dead = child.exit.then(({ stderr }) => Promise.reject(new Error(`the server has ended:\n${stderr}`)));
  const more = async () => {
    await Promise.all(neighbours.map((one) => one.more(5)));
  };
  let [fromMs, toMs] = [0, 0];
  const work = async () => {
    await more();
    fromMs = performance.now();
    await meanwhile();
    toMs = performance.now();
    await more();
  };
  try {
    await Promise.race([work(), dead]);
  } catch (error) {
    await Promise.allSettled(stop());
    // A server that has died resets its connections before its end is known.
    await Promise.race([dead, delay(200)]);
    throw error;
  }
  const all = await Promise.all(stop());
  return all.map((calls) => calls.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs));
}

/** Waits until nothing is left of the attack. */
async function calm(child: Child, mostBytes: number): Promise<Report> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    const report = await child.report();
    const isCalm = report.sockets === 0 && report.running === 0 && report.heldBytes <= mostBytes;
    if (isCalm) return report;
    if (performance.now() > endMs) {
      expect(report).toMatchObject({ sockets: 0, running: 0 });
      expect(report.heldBytes).toBeLessThanOrEqual(mostBytes);
    }
    await delay(50);
  }
}
