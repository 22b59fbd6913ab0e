// The headers that the page sends with every call, such as authorization. They are kept for as long as the tab is open.
import { element } from "./dom.js";
import { loadText, saveText } from "./session.js";
import { readHeaders } from "./typed.js";

const key = "manywire.headers";

export class HeadersBox {
  readonly root: HTMLDetailsElement;
  readonly #summary = element("summary", { class: "fold" });
  readonly #text = element("textarea", { name: "headers", rows: "3", spellcheck: "false", autocapitalize: "off" });
  readonly #problem = element("p", { class: "problem", role: "alert" });
  readonly #listeners: (() => void)[] = [];

  constructor() {
    this.#text.setAttribute("aria-label", "Headers, one on each line");
    this.#text.placeholder = "authorization: Bearer …";
    this.#text.value = loadText(key) ?? "";
    const hint = element("p", { class: "hint" }, "Sent with every call of this page. Kept until you close the tab.");
    this.root = element("details", { class: "panel headers" }, this.#summary, this.#text, this.#problem, hint);
    this.#text.addEventListener("input", () => this.#change());
    this.#show();
  }

  /** @throws Error that says what is expected */
  read(): Record<string, string> {
    return readHeaders(this.#text.value);
  }

  /** Calls the listener after each change. */
  listen(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #change(): void {
    saveText(key, this.#text.value);
    this.#show();
    for (const listener of this.#listeners) listener();
  }

  #show(): void {
    try {
      const count = Object.keys(this.read()).length;
      this.#summary.textContent = count === 0 ? "Headers" : `Headers (${count})`;
      this.#problem.textContent = "";
    } catch (error) {
      this.#problem.textContent = (error as Error).message;
    }
  }
}
