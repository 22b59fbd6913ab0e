// Makes, of what the page knows of a method, the form that calls it and the lines to copy, which follow what is typed.
import { element, labelled } from "./dom.js";
import { lineView } from "./line-view.js";
import { type Call, listLines } from "./lines.js";
import { hasManyReplies, hasManyRequests, type MethodInfo, type Route } from "./method.js";
import { OutcomeView } from "./outcome-view.js";
import { protocols } from "./protocols.js";
import { send } from "./send.js";
import { readHeaders, readMessages } from "./typed.js";

/** The form of one method. `base` is the address of the server. */
export class MethodForm {
  readonly root: HTMLElement = element("div", { class: "workbench" });
  readonly #method: MethodInfo;
  readonly #base: string;
  readonly #request = element("textarea", { name: "request", spellcheck: "false", autocapitalize: "off" });
  readonly #headers = element("textarea", { name: "headers", spellcheck: "false", rows: "2", autocapitalize: "off" });
  readonly #route = element("select", { name: "route" });
  readonly #button = element("button", { type: "submit" }, "Call");
  readonly #problem = element("p", { class: "problem", role: "alert" });
  readonly #outcomes = element("div", { class: "outcomes" });
  readonly #lines = element("ul", { class: "lines" });
  #running: AbortController | undefined;

  constructor(method: MethodInfo, base: string) {
    this.#method = method;
    this.#base = base;
    this.#route.append(
      ...method.routes.map(({ httpMethod, template }) => element("option", {}, `${httpMethod} ${template}`)),
    );
    this.#fill(this.#sample());
    this.root.append(this.#form(), this.#outcomes, element("h4", {}, "Copy"), this.#lines);
    this.#showLines();
  }

  #form(): HTMLFormElement {
    const form = element("form", {}, labelled(this.#requestLabel(), this.#request));
    if (this.#method.routes.length > 1) form.prepend(labelled("Route", this.#route));
    const more = element("details", { class: "more" }, element("summary", {}, "Headers"));
    this.#headers.setAttribute("aria-label", "Headers, one on each line");
    this.#headers.placeholder = "authorization: Bearer …";
    more.append(this.#headers);
    const hint = element("span", { class: "hint" }, "Ctrl+Enter");
    form.append(more, element("div", { class: "actions" }, this.#button, hint), this.#problem);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#running === undefined) void this.#call();
      else this.#running.abort();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.#request.addEventListener("input", () => this.#showLines());
    this.#headers.addEventListener("input", () => this.#showLines());
    this.#route.addEventListener("change", () => this.#changeRoute());
    return form;
  }

  #requestLabel(): string {
    return hasManyRequests(this.#method) ? "Requests, as a JSON array" : "Request, as JSON";
  }

  #chosen(): Route | undefined {
    return this.#method.routes[Math.max(0, this.#route.selectedIndex)];
  }

  #sample(): string {
    const sample = this.#chosen()?.sample ?? this.#method.sample;
    return JSON.stringify(hasManyRequests(this.#method) ? [sample] : sample, undefined, 2);
  }

  #fill(text: string): void {
    this.#request.value = text;
    this.#request.defaultValue = text;
    this.#request.rows = Math.min(16, text.split("\n").length);
  }

  /** Another route may need other fields; what was typed stays. */
  #changeRoute(): void {
    if (this.#request.value === this.#request.defaultValue) this.#fill(this.#sample());
    this.#showLines();
  }

  /** The call as it is typed; undefined, and a problem shown, if it cannot be read. */
  #read(): Call | undefined {
    try {
      const messages = readMessages(this.#request.value, hasManyRequests(this.#method));
      const headers = readHeaders(this.#headers.value);
      this.#problem.textContent = "";
      return { method: this.#method, route: this.#chosen(), base: this.#base, messages, headers };
    } catch (error) {
      this.#problem.textContent = (error as Error).message;
      return undefined;
    }
  }

  #showLines(): void {
    const call = this.#read();
    if (call !== undefined) this.#lines.replaceChildren(...listLines(call).map(lineView));
  }

  async #call(): Promise<void> {
    const call = this.#read();
    if (call === undefined) return;
    const controller = new AbortController();
    this.#running = controller;
    // Most calls are over before a button could be pressed again.
    const offer = setTimeout(() => {
      this.#button.textContent = "Stop";
    }, 250);
    const isOnly = !hasManyReplies(this.#method);
    const served = protocols.filter((protocol) => protocol.serves(call));
    const views = served.map(({ name }) => new OutcomeView(name));
    this.#outcomes.replaceChildren(...views.map(({ root }) => root));
    await Promise.all(
      served.map(async (protocol, index) => {
        const view = views[index] as OutcomeView;
        view.begin();
        const onMessage = (text: string) => view.message(text, isOnly);
        view.end(await send(protocol, call, controller.signal, onMessage));
      }),
    );
    this.#running = undefined;
    clearTimeout(offer);
    this.#button.textContent = "Call";
  }
}
