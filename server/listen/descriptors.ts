// Reports that the process has no file descriptor left for new connections.
import { closeSync, openSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { devNull } from "node:os";
import { type CancelTimer, type Clock, repeat } from "../clock.js";
import type { Report } from "./report.js";
import { descriptorOf } from "./tcp-handle.js";

const checkMs = 1000;
const reportMs = 60_000;

/** Whether an error means that no file descriptor is left, for the process or for the machine. */
export function isOutOfDescriptors({ code }: NodeJS.ErrnoException): boolean {
  return code === "EMFILE" || code === "ENFILE";
}

/**
 * Node has no event for it: libuv accepts the connections that it has no descriptor for, closes them and says nothing
 * (Node 20, 22 and 24). So this opens a file once a second, and after each accepted connection that has the highest
 * descriptor so far. A shortage of less than a second that other files have caused may be missed.
 */
export class DescriptorWatch {
  readonly #clock: Clock;
  readonly #report: Report;
  #stop: CancelTimer | undefined;
  #highest = 0;
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor(server: Server, clock: Clock, report: Report) {
    this.#clock = clock;
    this.#report = report;
    server.on("listening", () => {
      this.#stop = repeat(clock, () => this.#check(), checkMs);
    });
    server.on("connection", (socket: Socket) => {
      const descriptor = descriptorOf(socket) ?? -1;
      if (descriptor < this.#highest) return;
      this.#highest = descriptor;
      this.#check();
    });
  }

  stop(): void {
    this.#stop?.();
  }

  /** Reports a shortage, once a minute at most. */
  report(cause: NodeJS.ErrnoException): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#reportedMs < reportMs) return;
    this.#reportedMs = nowMs;
    const message = "no file descriptor left: new connections are closed; raise the limit (ulimit -n)";
    this.#report(Object.assign(new Error(message, { cause }), { code: cause.code }), "accept");
  }

  #check(): void {
    try {
      closeSync(openSync(devNull, "r"));
    } catch (error) {
      // Without a null device there is nothing to learn.
      if (isOutOfDescriptors(error as NodeJS.ErrnoException)) this.report(error as NodeJS.ErrnoException);
    }
  }
}
