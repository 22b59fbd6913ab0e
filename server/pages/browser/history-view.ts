// Shows the calls of this tab. Each is a link that fills the form with its request again.
import { addEntry, type HistoryEntry, parseEntries } from "./call-history.js";
import { element } from "./dom.js";
import { formatLink } from "./link.js";
import { loadText, saveText } from "./session.js";

const key = "manywire.history";

export class HistoryView {
  readonly root: HTMLDetailsElement;
  readonly #summary = element("summary", { class: "fold" });
  readonly #list = element("ol");
  #entries = parseEntries(loadText(key));

  /** @param open opens the call of a link */
  constructor(open: (link: string) => void) {
    const clear = element("button", { type: "button", class: "small" }, "Clear");
    clear.addEventListener("click", () => this.#set([]));
    this.root = element("details", { class: "panel history" }, this.#summary, this.#list, clear);
    this.#list.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (link === null) return;
      event.preventDefault();
      open(link.hash);
    });
    this.#show();
  }

  add(entry: HistoryEntry): void {
    this.#set(addEntry(this.#entries, entry));
  }

  #set(entries: HistoryEntry[]): void {
    this.#entries = entries;
    saveText(key, JSON.stringify(entries));
    this.#show();
  }

  #show(): void {
    this.root.hidden = this.#entries.length === 0;
    this.#summary.textContent = `History (${this.#entries.length})`;
    this.#list.replaceChildren(...this.#entries.map(itemOf));
  }
}

function itemOf(entry: HistoryEntry): HTMLLIElement {
  const [name = ""] = entry.method.split(".").slice(-1);
  const status = element("span", { class: "status" }, entry.status);
  const request = element("code", {}, entry.request.replace(/\s+/g, " ").slice(0, 120));
  const link = element("a", { href: formatLink(entry) }, name);
  const figures = element("span", { class: "hint" }, `${entry.protocol} · ${entry.durationMs.toFixed(0)} ms`);
  return element("li", { "data-state": entry.isOk ? "ok" : "failed" }, link, status, figures, request);
}
