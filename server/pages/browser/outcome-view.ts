// Shows one call as it goes: its messages as they come, then its status, bytes and time.
import { element } from "./dom.js";
import type { Outcome } from "./send.js";
import type { ErrorDetail } from "./status-details.js";
import type { Pair } from "./verdicts.js";

/** Maximum number of messages that the page shows of a stream. */
const maxShown = 200;

/** A place for the calls over one protocol. */
export class OutcomeView {
  readonly root: HTMLElement;
  readonly #status = element("span", { class: "status" });
  readonly #figures = element("span", { class: "figures" });
  readonly #messages = element("pre", { class: "answer", tabindex: "0" });
  readonly #more = element("div", { class: "outcome-more" });
  #count = 0;

  constructor(name: string) {
    const head = element("p", { class: "outcome-head", role: "status" }, this.#status, " ", this.#figures);
    this.#messages.setAttribute("aria-label", `${name}: response`);
    this.#messages.setAttribute("role", "group");
    this.root = element("section", { class: "outcome", "data-protocol": name }, element("h4", {}, name), head);
    this.root.append(this.#messages, this.#more);
  }

  begin(): void {
    this.#count = 0;
    this.root.dataset.state = "running";
    this.#status.textContent = "…";
    this.#figures.textContent = "";
    this.#messages.textContent = "";
  }

  /** Shows the progress of an open call. */
  note(text: string): void {
    this.#figures.textContent = text;
  }

  /** @param isOnly whether no other message follows, so that there is room to print it at length */
  message(text: string, isOnly: boolean): void {
    this.#count++;
    if (this.#count <= maxShown) this.#messages.append(`${isOnly ? indent(text) : text}\n`);
    if (!isOnly) this.#figures.textContent = count(this.#count, "message");
  }

  end(outcome: Outcome): void {
    this.root.dataset.state = outcome.isOk ? "ok" : "failed";
    this.#status.textContent = outcome.status;
    this.#figures.textContent = figuresOf(outcome);
    if (this.#count > maxShown) this.#messages.append(`and ${count(this.#count - maxShown, "more message")}\n`);
    if (outcome.error !== undefined) this.#messages.append(outcome.error);
    this.#messages.hidden = this.#messages.textContent === "";
    this.#more.append(
      ...(outcome.file === undefined ? [] : [saveLink(outcome.file)]),
      ...(outcome.details ?? []).map(detailView),
      ...pairsView("Headers", outcome.headers),
      ...pairsView("Trailers", outcome.trailers ?? []),
    );
  }
}

/** The address lasts as long as the page. */
function saveLink(file: Blob): HTMLElement {
  return element("a", { href: URL.createObjectURL(file), download: "response" }, "Save");
}

function detailView({ type, text }: ErrorDetail): HTMLElement {
  return element("div", { class: "detail" }, element("h5", {}, type), element("pre", {}, text));
}

/** Nothing if there are none. */
function pairsView(title: string, pairs: readonly Pair[]): HTMLElement[] {
  if (pairs.length === 0) return [];
  const rows = pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  const summary = element("summary", { class: "fold" }, `${title} (${pairs.length})`);
  return [element("details", { class: "pairs" }, summary, element("dl", {}, ...rows))];
}

function figuresOf({ sentBytes, receivedBytes, encoding, durationMs }: Outcome): string {
  const unit = encoding === undefined ? "" : ` (${encoding}, unpacked)`;
  return `${bytes(sentBytes)} out · ${bytes(receivedBytes)} in${unit} · ${durationMs.toFixed(1)} ms`;
}

function bytes(count: number): string {
  return `${count.toLocaleString("en")} B`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function indent(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    // Not JSON: shown as it came.
    return text;
  }
}
