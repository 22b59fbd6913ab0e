// A load as a process of its own, such as in another network. Its argument says what to call. It sends its parent how many
// calls got a response, and, after the message "stop", what became of all.
import { setTimeout as delay } from "node:timers/promises";
import type { CallerTls } from "./callers.js";
import { type Caller, startLoad } from "./load.js";
import { openMix } from "./mix.js";

export interface LoadSettings {
  readonly url: string;
  readonly ca: string;
  readonly servername: string;
  readonly intervalMs: number;
  /** After this time a call without an end is lost. */
  readonly limitMs: number;
}

/** A call that was lost. Times are those of `Date.now()`. */
export interface LostCall {
  readonly reason: string;
  readonly beganMs: number;
  readonly endedMs: number;
}

export type LoadMessage =
  | { kind: "progress"; answered: number }
  | { kind: "ended"; answered: number; turnedAway: number; lost: readonly LostCall[]; longestMs: number };

const { url, ca, servername, intervalMs, limitMs } = JSON.parse(process.argv[2] ?? "") as LoadSettings;
const tls: CallerTls = { ca, servername };
const lost: LostCall[] = [];
let longestMs = 0;

const load = startLoad(openMix({ http1: url, http2: url, tls }).map(watch), intervalMs);
const progress = setInterval(() => tell({ kind: "progress", answered: load.answered }), 50);
process.once("message", () => load.stop());
const { answered, turnedAway } = await load.ended;
clearInterval(progress);
tell({ kind: "ended", answered, turnedAway, lost, longestMs });
process.disconnect();

/** Notes when calls are lost, and does not wait longer than the limit for one. */
function watch(caller: Caller): Caller {
  return {
    async call(index) {
      const beganMs = Date.now();
      const limit = new AbortController();
      const late = delay(limitMs, { kind: "lost", reason: `no end in ${limitMs} ms` } as const, {
        signal: limit.signal,
      });
      late.catch(() => {});
      const end = await Promise.race([caller.call(index), late]);
      limit.abort();
      const endedMs = Date.now();
      if (end.kind === "lost") lost.push({ reason: end.reason, beganMs, endedMs });
      else longestMs = Math.max(longestMs, endedMs - beganMs);
      return end;
    },
    close: () => caller.close(),
  };
}

function tell(message: LoadMessage): void {
  process.send?.(message);
}
