// Connects a server to its process: signals drain it or make it read its files again, and an uncaught error ends it.
import type { Logger } from "pino";
import type { BufferedSink } from "../operate/log.js";
import type { Server } from "../server.js";

/** The events of a process, and its end. */
export interface ProcessEvents {
  on(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  on(event: "uncaughtException", listener: (error: unknown, origin: string) => void): unknown;
  exit(code: number): void;
}

/** The server and the log, which end with the process. */
export interface Running {
  readonly server: Pick<Server, "close">;
  readonly logger: Logger;
  readonly log: Pick<BufferedSink, "end">;
  /** Reads files again: certificates, configuration. Undefined if there are none. Does not throw. */
  readonly reload: (() => void) | undefined;
  /** A clock in milliseconds. */
  readonly now: () => number;
}

/**
 * A Ctrl-C reaches this process from the terminal, and once more from an npm that runs it. Within this time the same
 * signal counts once.
 */
const echoMs = 200;

/** Exit codes of a process that exits at once because of a signal: 128 + its number, as in shells. */
const signalCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * SIGTERM and SIGINT drain and exit with 0; a second one exits at once. SIGHUP reloads; where there is nothing to reload it
 * is what a closing terminal sends, and drains. An uncaught error drains and exits with 1.
 */
export function followProcess(events: ProcessEvents, running: Running): void {
  const { logger } = running;
  const ending = new Ending(events, running);
  const onSignal = (signal: NodeJS.Signals) => ending.onSignal(signal as keyof typeof signalCodes);
  events.on("SIGTERM", onSignal);
  events.on("SIGINT", onSignal);
  events.on("SIGHUP", running.reload ?? onSignal);
  // Unhandled rejections come here as well.
  events.on("uncaughtException", (error, origin) => {
    logger.error({ err: error, origin }, "uncaught error");
    ending.begin(1);
  });
}

/** The end of a process: a drain, its exit code, and signals that cut it short. */
export class Ending {
  readonly #events: Pick<ProcessEvents, "exit">;
  readonly #running: Omit<Running, "reload">;
  #exitCode: number | undefined;
  #first: { signal: string; timeMs: number } | undefined;

  constructor(events: Pick<ProcessEvents, "exit">, running: Omit<Running, "reload">) {
    this.#events = events;
    this.#running = running;
  }

  onSignal(signal: keyof typeof signalCodes): void {
    const { logger, log, now } = this.#running;
    const isEcho = this.#first?.signal === signal && now() - this.#first.timeMs < echoMs;
    if (this.#exitCode === undefined) {
      this.#first = { signal, timeMs: now() };
      logger.info({ signal }, "draining; a second signal ends at once");
      this.begin(0);
    } else if (!isEcho) {
      logger.warn({ signal }, "leaving at once");
      void log.end().then(() => this.#events.exit(signalCodes[signal]));
    }
  }

  /** Drains and exits. The worst of several exit codes counts. */
  begin(exitCode: number): void {
    const isFirst = this.#exitCode === undefined;
    this.#exitCode = Math.max(exitCode, this.#exitCode ?? 0);
    if (isFirst) void this.#drain();
  }

  async #drain(): Promise<void> {
    const { server, logger, log } = this.#running;
    try {
      await server.close();
      logger.info("drained");
    } catch (error) {
      logger.error({ err: error }, "drain failed");
      this.#exitCode = 1;
    }
    await log.end();
    this.#events.exit(this.#exitCode ?? 0);
  }
}

/** A process with output streams. */
interface Writer {
  on(event: "error", listener: () => void): unknown;
}

/** Keeps the process alive when the reader of its standard output or standard error closes the pipe (EPIPE). */
export function ignoreClosedOutput({ stdout, stderr }: { readonly stdout: Writer; readonly stderr: Writer }): void {
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
}
