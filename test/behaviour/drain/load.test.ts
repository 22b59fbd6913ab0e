// SIGTERM under load loses no call that the server has accepted.
import { describe, expect, test } from "vitest";
import { opening } from "../../support/call-frames.js";
import { decodeFrames, frameTypes } from "../../support/http2-frames.js";
import { openCaller1, openCaller2 } from "../../support/load/callers.js";
import { connectCall, connectUploadCall, grpcCall, grpcDialogCall, webStreamCall } from "../../support/load/calls.js";
import { startLoad } from "../../support/load/load.js";
import { startChild } from "../../support/process/child.js";
import { openRaw } from "../../support/raw-socket.js";

/** Ten callers with a call each in 50 ms: 200 calls a second. */
const intervalMs = 50;
const enoughCalls = 150;
/**
 * Idle connections of HTTP/1.1 are closed after this, and a call that is just being sent on one is lost (RFC 9112 section
 * 9.3.1). It is long enough for callers to call, and so to notice, within each interval on a busy machine.
 */
const limits = { idleGraceMs: 2000 };

const callersOf = (url: string) => [
  openCaller1(url, grpcCall),
  openCaller1(url, connectCall),
  openCaller1(url, webStreamCall),
  openCaller1(url, connectUploadCall),
  openCaller2(url, grpcCall),
  openCaller2(url, grpcCall),
  openCaller2(url, connectCall),
  openCaller2(url, webStreamCall),
  openCaller2(url, connectUploadCall),
  openCaller2(url, grpcDialogCall),
];

describe.each([
  ["fast lane, at once", { fastLane: true }],
  ["fast lane, after a delay", { fastLane: true, drainDelayMs: 300 }],
  ["reference lane, at once", { fastLane: false }],
])("%s", (_, options) => {
  test("no call is lost under 200 calls a second, and the process ends with 0", async () => {
    const child = await startChild({ drainTimeoutMs: 5000, limits, ...options });
    await using idle = await openRaw(child.url);
    idle.write(opening());
    const load = startLoad(callersOf(child.url), intervalMs);
    await expect.poll(() => load.answered, { timeout: 10_000 }).toBeGreaterThan(enoughCalls);
    child.process.kill("SIGTERM");
    const { answered, turnedAway, lost } = await load.ended;
    expect(lost).toEqual([]);
    expect(turnedAway).toBeGreaterThan(0);
    expect(answered).toBeGreaterThan(enoughCalls);
    expect(await child.exit).toEqual({ code: 0, signal: null, stderr: "" });
    expect((await child.last).report.calls).toBe(answered);
    await idle.closed;
    const goaway = decodeFrames(idle.received).findLast(({ type }) => type === frameTypes.goaway);
    // No call was taken on here, and there is no error: RFC 9113 section 6.8.
    expect(goaway?.payload.toString("hex")).toBe("0000000000000000");
  });
});
