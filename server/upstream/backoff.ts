// How long to wait before the next attempt: https://github.com/grpc/grpc/blob/v1.71.0/doc/connection-backoff.md, up to 10 s.
import { withJitter } from "../../client/jitter.js";

const firstMs = 1000;
const factor = 1.6;
const maxMs = 10_000;

/** The time to wait after so many failures in a row, in milliseconds: from 1 s to 10 s, 20 % more or less. */
export function backoffMs(failures: number): number {
  return withJitter(Math.min(firstMs * factor ** Math.max(0, failures - 1), maxMs));
}
