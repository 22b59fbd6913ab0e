// Runs long work in slices, so that the event loop serves other requests in between.
import { setImmediate } from "node:timers/promises";

/** Work that can pause at each `yield`. */
export type Work<T> = Generator<void, T, void>;

/** Length of a slice in milliseconds. A few builds may run side by side, and each takes its slice in turn. */
const sliceMs = 10;

/** Runs work to its end without a pause. */
export function runAtOnce<T>(work: Work<T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** Runs work to its end in slices. Rejects with the error that the work throws. */
export async function runInSlices<T>(work: Work<T>): Promise<T> {
  while (true) {
    const end = performance.now() + sliceMs;
    while (performance.now() < end) {
      const step = work.next();
      if (step.done === true) return step.value;
    }
    await setImmediate();
  }
}

/** Makes a value on the first call and shares it with all callers. After a failure, the next call tries again. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** Joins texts, and pauses after each. */
export function* joinText(pieces: Iterable<string>): Work<string> {
  const all: string[] = [];
  for (const piece of pieces) {
    all.push(piece);
    yield;
  }
  return all.join("");
}
