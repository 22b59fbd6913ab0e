// Ends what waits for a peer that does not read: the connection, or one of its streams.
import type { ConnectionCore } from "./connection-core.js";
import type { ConnectionEnding } from "./connection-ending.js";
import { ErrorCode } from "./errors.js";
import type { StreamEndings } from "./stream-endings.js";

export class OutputWatch<Owner> {
  readonly #core: ConnectionCore<Owner>;
  readonly #streamEndings: StreamEndings<Owner>;
  readonly #ending: ConnectionEnding<Owner>;
  /** Milliseconds of the clock: since when output waits without any being taken, or -1. */
  #untakenSince = -1;

  constructor(core: ConnectionCore<Owner>, streamEndings: StreamEndings<Owner>, ending: ConnectionEnding<Owner>) {
    this.#core = core;
    this.#streamEndings = streamEndings;
    this.#ending = ending;
  }

  /** To be called when output has been taken. */
  onTaken(): void {
    this.#untakenSince = -1;
  }

  tick(): void {
    const { now, outgoing, streams, limits } = this.#core;
    if (limits.stallMs === 0) return;
    if (this.#untakenSince < 0 && outgoing.frames.bytes > 0) this.#untakenSince = now;
    if (this.#untakenSince >= 0 && now - this.#untakenSince > limits.stallMs) {
      this.#ending.fail(ErrorCode.enhanceYourCalm, "the peer does not read");
    }
    for (const stream of streams.list()) {
      if (stream.waiting === undefined) continue;
      if (stream.stalledSince < 0) stream.stalledSince = now;
      else if (now - stream.stalledSince > limits.stallMs) this.#streamEndings.reset(stream, ErrorCode.enhanceYourCalm);
    }
  }
}
