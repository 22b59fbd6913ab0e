// Callers that go on calling while a server goes away, and tell of every call whether it got a response, turned away before
// the server took it on, or lost.
import { setTimeout as delay } from "node:timers/promises";

/** What became of a call. A call that is turned away may be made again elsewhere; one that is lost may have been done or not. */
export type CallEnd = { kind: "answered" } | { kind: "turned away" } | { kind: "lost"; reason: string };

/** One who calls on a connection of its own. */
export interface Caller {
  /** Makes a call. Rejects never. */
  call(index: number): Promise<CallEnd>;
  close(): void;
}

export interface Counts {
  readonly answered: number;
  readonly turnedAway: number;
  /** Why calls were lost, one text for each. */
  readonly lost: readonly string[];
}

export interface Load {
  /** Resolves when no call gets through any more, or after `stop`, as soon as all calls have ended. */
  readonly ended: Promise<Counts>;
  /** Calls that got a response so far. */
  readonly answered: number;
  /** Begins no more calls. */
  stop(): void;
}

interface LoadOptions {
  /** Whether callers go on after a call that was turned away, as where others go on serving. */
  readonly goOn?: boolean;
}

/** Lets every caller begin a call in each interval, whether the one before has ended or not. */
export function startLoad(callers: readonly Caller[], intervalMs: number, { goOn = false }: LoadOptions = {}): Load {
  const ends: CallEnd[] = [];
  let isStopped = false;
  const keepCalling = async (caller: Caller, offsetMs: number) => {
    const calls: Promise<void>[] = [];
    let isTurnedAway = false;
    await delay(offsetMs);
    for (let index = 0; !isStopped && !isTurnedAway; index++) {
      const call = caller.call(index).then((end) => {
        ends.push(end);
        if (end.kind === "turned away" && !goOn) isTurnedAway = true;
      });
      calls.push(call);
      await delay(intervalMs);
    }
    await Promise.all(calls);
    caller.close();
  };
  const step = intervalMs / callers.length;
  const ended = Promise.all(callers.map((caller, index) => keepCalling(caller, index * step)));
  const answered = () => ends.filter(({ kind }) => kind === "answered").length;
  return {
    ended: ended.then(() => ({
      answered: answered(),
      turnedAway: ends.filter(({ kind }) => kind === "turned away").length,
      lost: ends.flatMap((end) => (end.kind === "lost" ? [end.reason] : [])),
    })),
    get answered() {
      return answered();
    },
    stop() {
      isStopped = true;
    },
  };
}
