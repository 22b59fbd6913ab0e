// The waits between attempts.
import { Code, ConnectError } from "@connectrpc/connect";

/** The waits of one transport, which ends them when it is closed. */
export class Waits {
  readonly #ends = new Set<(reason: unknown) => void>();

  /** Resolves after a time, or rejects as soon as the signal fires or the transport is closed. */
  wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        this.#ends.delete(end);
        signal?.removeEventListener("abort", onAbort);
      };
      const end = (reason: unknown) => {
        stop();
        reject(ConnectError.from(reason, Code.Canceled));
      };
      const onAbort = () => end(signal?.reason);
      const timer = setTimeout(() => {
        stop();
        resolve();
      }, ms);
      this.#ends.add(end);
      signal?.addEventListener("abort", onAbort);
    });
  }

  endAll(reason: ConnectError): void {
    for (const end of [...this.#ends]) end(reason);
  }
}
