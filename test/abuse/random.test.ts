// Connections that send requests which are almost right, out of a seed that a failure names: 1,500, or 5,000 with
// MANYWIRE_ABUSE=long.
import { connect } from "node:net";
import { describe, test } from "vitest";
import { Random, seed } from "../support/random.js";
import { isLong } from "./long.js";
import { mutatedRequest } from "./mutate.js";
import { useVictim } from "./victim.js";

const cases = isLong ? 5000 : 1500;
const atOnce = 100;
const patienceMs = 60;

/** Sends the bytes in two chunks, reads the response, and disconnects after a while. */
function send(port: number, bytes: Buffer, random: Random): Promise<void> {
  const middle = random.below(bytes.length + 1);
  const isRude = random.chance(0.3);
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const timer = setTimeout(() => (isRude ? socket.resetAndDestroy() : socket.destroy()), patienceMs);
    socket.on("error", () => {}).on("data", () => {});
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.write(bytes.subarray(0, middle));
    setImmediate(() => {
      if (socket.destroyed) return;
      // Node 20 never closes a socket that is reset while it ends.
      if (isRude) socket.write(bytes.subarray(middle));
      else socket.end(bytes.subarray(middle));
    });
  });
}

describe("requests at random", () => {
  const victim = useVictim({ readMaxBytes: 256 * 1024 });

  test(`${cases} connections with requests that are almost right do no harm`, async () => {
    const random = new Random(seed);
    let first = 0;
    try {
      await victim.withstand(async (url) => {
        const port = Number(new URL(url).port);
        for (first = 0; first < cases; first += atOnce) {
          const requests = Array.from({ length: atOnce }, () => mutatedRequest(random));
          await Promise.all(requests.map((bytes) => send(port, bytes, random)));
        }
      });
    } catch (error) {
      throw new Error(`MANYWIRE_SEED=${seed}, cases ${first} to ${first + atOnce}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }, 60_000);
});
