// How much memory this process needs: what it holds, and the most that it has had.
import { setImmediate as turn } from "node:timers/promises";

interface MemoryWatch {
  /** Forgets the peak. */
  mark(): void;
  /** The most memory in use since the last mark, in bytes: sampled, and with garbage. */
  peak(): number;
  /** What is in use once all that is unused was thrown away, in bytes. */
  held(): Promise<number>;
  /** Lets the process end. */
  stop(): void;
}

const intervalMs = 10;

export function watchMemory(): MemoryWatch {
  let peak = 0;
  const sample = () => {
    try {
      peak = Math.max(peak, used());
    } catch {
      // Node reads the numbers from a file, which needs a descriptor. The next sample follows.
    }
  };
  const timer = setInterval(sample, intervalMs);
  return {
    mark() {
      peak = used();
    },
    peak() {
      sample();
      return peak;
    },
    async held() {
      // What is closed in one turn is let go of in the next.
      for (let round = 0; round < 3; round++) {
        await turn();
        globalThis.gc?.();
      }
      return used();
    },
    stop: () => clearInterval(timer),
  };
}

/** Objects, and the bytes of buffers. Not the resident size, which pages that Node keeps for later make useless here. */
function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
