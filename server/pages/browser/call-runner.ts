// Makes the calls of one form, and shows each as it goes.
import type { Call } from "./lines.js";
import { hasManyReplies, type JsonValue } from "./method.js";
import { OpenStream } from "./open-stream.js";
import { OutcomeView } from "./outcome-view.js";
import type { Protocol } from "./protocols.js";
import { type Outcome, send } from "./send.js";

/** Events of calls. */
export interface RunnerEvents {
  /** Called when calls begin and end, and when a stream is opened. */
  onState(): void;
  onOutcome(protocol: Protocol, call: Call, outcome: Outcome): void;
}

export class CallRunner {
  readonly root: HTMLElement;
  readonly #events: RunnerEvents;
  #running: AbortController | undefined;
  #stream: { readonly open: OpenStream; readonly view: OutcomeView } | undefined;

  /** @param root where the outcomes are shown */
  constructor(root: HTMLElement, events: RunnerEvents) {
    this.root = root;
    this.#events = events;
  }

  get state(): "idle" | "running" | "open" {
    if (this.#stream !== undefined) return "open";
    return this.#running === undefined ? "idle" : "running";
  }

  /** Calls once over each of the protocols. */
  async run(protocols: readonly Protocol[], call: Call): Promise<void> {
    await this.#while(protocols, (views, signal) =>
      Promise.all(views.map(([protocol, view]) => this.#finish(protocol, call, view, signal))),
    );
  }

  /** Opens a call whose messages `sendMessages` sends. @param isStreamed whether the browser sends each at once */
  async open(protocol: Protocol, call: Call, isStreamed: boolean): Promise<void> {
    await this.#while([protocol], async ([[, view]], signal) => {
      const stream = new OpenStream(protocol, call, isStreamed);
      this.#stream = { open: stream, view };
      this.sendMessages(call.messages);
      this.#events.onState();
      signal.addEventListener("abort", () => stream.end());
      await stream.ready;
      const { messages, body } = stream;
      await this.#finish(protocol, body === undefined ? { ...call, messages } : call, view, signal, stream);
    });
  }

  sendMessages(messages: readonly JsonValue[]): void {
    if (this.#stream === undefined) return;
    const { open, view } = this.#stream;
    open.send(messages);
    view.note(`${open.messages.length} sent`);
  }

  end(): void {
    this.#stream?.open.end();
    this.#stream = undefined;
    this.#events.onState();
  }

  stop(): void {
    this.#running?.abort();
  }

  async #while(
    protocols: readonly Protocol[],
    work: (views: readonly [Shown, ...Shown[]], signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    const [first, ...others] = protocols.map((protocol): Shown => [protocol, new OutcomeView(protocol.name)]);
    if (first === undefined) return;
    const views = [first, ...others] as const;
    const controller = new AbortController();
    this.#running = controller;
    this.root.replaceChildren(...views.map(([, { root }]) => root));
    for (const [, view] of views) view.begin();
    this.#events.onState();
    try {
      await work(views, controller.signal);
    } finally {
      this.#running = undefined;
      this.#stream = undefined;
      this.#events.onState();
    }
  }

  async #finish(protocol: Protocol, call: Call, view: OutcomeView, signal: AbortSignal, stream?: OpenStream) {
    const isOnly = !hasManyReplies(call.method);
    const outcome = await send(protocol, call, signal, (text) => view.message(text, isOnly), stream?.body);
    view.end(outcome);
    this.#events.onOutcome(protocol, { ...call, messages: stream?.messages ?? call.messages }, outcome);
  }
}

type Shown = readonly [Protocol, OutcomeView];
