// A request that is being made up: random, and with a count of what is wrong with it.
import type { Random } from "../../support/random.js";

export class Draft {
  readonly random: Random;
  /** How many faults the request has at most. With two, each lane may name the other one first. */
  faults = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Whether to do something that may be a fault, in so many cases of 1. */
  isOdd(probability: number, faults = 1): boolean {
    const isOdd = this.random.chance(probability);
    if (isOdd) this.faults += faults;
    return isOdd;
  }

  /** Cuts, lengthens or changes bytes: the result is unknown. */
  breakBytes(bytes: Buffer): Buffer {
    this.faults += 2;
    const { random } = this;
    const at = random.below(bytes.length + 1);
    const ways = [
      () => bytes.subarray(0, at),
      () => Buffer.concat([bytes, random.bytes(1 + random.below(6))]),
      () => Buffer.concat([bytes.subarray(0, at), random.bytes(1), bytes.subarray(at + 1)]),
    ];
    return random.pick(ways)();
  }

  /** Splits bytes into chunks that are not empty. */
  cut(bytes: Buffer): Buffer[] {
    const { random } = this;
    const inner = random.chance(0.6) ? [] : random.several(1, 4, () => random.below(bytes.length + 1));
    const ends = [0, ...inner.sort((one, other) => one - other), bytes.length];
    const pieces = ends.slice(1).map((end, index) => bytes.subarray(ends[index], end));
    return pieces.filter((piece) => piece.length > 0);
  }
}
