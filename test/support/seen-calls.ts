// What handlers see of their calls, by the text of the (first) request, so that tests can wait for it.
import type { HandlerContext } from "@connectrpc/connect";

/** How a handler came to its end: it returned, it threw, or (a generator) it was left before its end. */
type HandlerEnd = { kind: "returned" } | { kind: "threw"; reason: unknown } | { kind: "left" };

interface SeenCall {
  readonly context: HandlerContext;
  end: HandlerEnd | undefined;
}

/** Calls of handlers. Texts are to be unique. A wait in vain ends with the test that waits. */
export class SeenCalls {
  readonly #calls = new Map<string, SeenCall>();
  readonly #gates = new Map<string, Promise<void>>();
  #waiting: (() => void)[] = [];

  /** Whether a handler has been called with the text. */
  has(text: string): boolean {
    return this.#calls.has(text);
  }

  /** The context of the call, as soon as its handler has begun. */
  async started(text: string): Promise<HandlerContext> {
    return (await this.#when(text, () => true)).context;
  }

  /** How the handler ended, as soon as it has. */
  async ended(text: string): Promise<HandlerEnd> {
    return (await this.#when(text, ({ end }) => end !== undefined)).end as HandlerEnd;
  }

  /** Whether the handler has come to its end. */
  hasEnded(text: string): boolean {
    return this.#calls.get(text)?.end !== undefined;
  }

  /** Makes handlers wait before they respond to the request of that text, or before reply `index`, until the gate is opened. */
  hold(text: string, index = 0): { open(): void } {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gates.set(`${text} ${index}`, opened);
    return { open };
  }

  /** The gate before a reply, if there is one. */
  gate(text: string, index: number): Promise<void> | undefined {
    return this.#gates.size === 0 ? undefined : this.#gates.get(`${text} ${index}`);
  }

  /** Does the work of a handler with one response, and notes how it ends. Stays synchronous if the work is. */
  watch<T>(text: string, context: HandlerContext, work: () => T | Promise<T>): T | Promise<T> {
    this.#start(text, context);
    try {
      const value = work();
      if (value instanceof Promise) return this.#watchPromise(text, value);
      this.#end(text, { kind: "returned" });
      return value;
    } catch (reason) {
      this.#end(text, { kind: "threw", reason });
      throw reason;
    }
  }

  /** Does the work of a handler with many responses, and notes how it ends. */
  async *watchEach<T>(text: string, context: HandlerContext, values: AsyncIterable<T>): AsyncGenerator<T> {
    this.#start(text, context);
    try {
      yield* values;
      this.#end(text, { kind: "returned" });
    } catch (reason) {
      this.#end(text, { kind: "threw", reason });
      throw reason;
    } finally {
      this.#end(text, { kind: "left" });
    }
  }

  async #watchPromise<T>(text: string, promise: Promise<T>): Promise<T> {
    try {
      const value = await promise;
      this.#end(text, { kind: "returned" });
      return value;
    } catch (reason) {
      this.#end(text, { kind: "threw", reason });
      throw reason;
    }
  }

  #start(text: string, context: HandlerContext): void {
    this.#calls.set(text, { context, end: undefined });
    this.#wake();
  }

  /** Only the first end counts. */
  #end(text: string, end: HandlerEnd): void {
    const call = this.#calls.get(text);
    if (call !== undefined) call.end ??= end;
    this.#wake();
  }

  async #when(text: string, isSo: (call: SeenCall) => boolean): Promise<SeenCall> {
    for (;;) {
      const call = this.#calls.get(text);
      if (call !== undefined && isSo(call)) return call;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
