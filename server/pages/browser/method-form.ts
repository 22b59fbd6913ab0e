// The form that calls a method, with the lines to copy, which follow what is typed.
import { CallRunner } from "./call-runner.js";
import { Choice } from "./choice.js";
import { element, labelled } from "./dom.js";
import { FilePicker } from "./file-picker.js";
import { placeFile, resolveFiles } from "./file-references.js";
import { canStreamRequests, isHttp1 } from "./http-version.js";
import { lineView } from "./line-view.js";
import { type Call, listLines } from "./lines.js";
import { formatLink, type SavedCall } from "./link.js";
import { hasManyRequests, type JsonValue, type MethodInfo, type Route, sampleFor } from "./method.js";
import type { Page } from "./page.js";
import { type Protocol, protocols } from "./protocols.js";
import type { Outcome } from "./send.js";
import { loadText, saveText } from "./session.js";
import { readDeadline, readMessages } from "./typed.js";

const protocolKey = "manywire.protocol";
/** Longer lines are more than a shell takes. */
const maxLineLength = 60_000;

export class MethodForm {
  readonly root: HTMLElement = element("div", { class: "workbench" });
  readonly #method: MethodInfo;
  readonly #page: Page;
  readonly #isMany: boolean;
  readonly #served: readonly Protocol[];
  readonly #protocol: Choice;
  readonly #route = element("select", { name: "route" });
  readonly #deadline = element("input", { name: "deadline", inputmode: "numeric", size: "8", placeholder: "none" });
  readonly #request = element("textarea", { name: "request", spellcheck: "false", autocapitalize: "off" });
  readonly #files: FilePicker;
  readonly #problem = element("p", { class: "problem", role: "alert" });
  readonly #call = button("Call", "submit");
  readonly #compare = button("Compare protocols");
  readonly #keepOpen = button("Send, keep open");
  readonly #end = button("End stream");
  readonly #stop = button("Stop");
  readonly #link = button("Copy link");
  readonly #lines = element("ul", { class: "lines" });
  readonly #runner: CallRunner;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(method: MethodInfo, page: Page) {
    this.#method = method;
    this.#page = page;
    this.#isMany = hasManyRequests(method);
    this.#served = protocols.filter((protocol) => protocol.serves({ method, route: method.routes[0] }));
    const options = this.#served.map(({ id, name }) => ({ value: id, label: name }));
    this.#protocol = new Choice("Protocol", options, () => saveText(protocolKey, this.#protocol.value));
    this.#protocol.value = loadText(protocolKey) ?? "";
    this.#route.append(...method.routes.map(optionOf));
    this.#files = new FilePicker(method.files, (field, file) => {
      this.#edit((message) => placeFile(message, field, file));
    });
    this.#runner = new CallRunner(element("div", { class: "outcomes" }), {
      onState: () => this.#showState(),
      onOutcome: (protocol, call, outcome) => this.#remember(protocol, call, outcome),
    });
    this.#fill(this.#sample());
    this.root.append(this.#form(), this.#runner.root, element("h4", {}, "Copy"), this.#lines);
    page.headers.listen(() => this.#showLines());
    this.#showState();
    this.#showLines();
  }

  /** Fills the form with a call of a link. */
  fill(saved: SavedCall): void {
    this.#protocol.value = saved.protocol;
    this.#route.selectedIndex = saved.route < this.#method.routes.length ? saved.route : 0;
    this.#deadline.value = saved.deadline;
    this.#fill(saved.request);
    this.#showLines();
  }

  #form(): HTMLFormElement {
    const options = element("div", { class: "row" }, this.#protocol.root);
    if (this.#method.routes.length > 1) options.append(labelled("Route", this.#route));
    options.append(labelled("Deadline, ms", this.#deadline));
    const form = element("form", {}, options, labelled(this.#requestLabel(), this.#request));
    if (this.#method.files.length > 0) form.append(this.#files.root);
    const hint = element("span", { class: "hint" }, "Ctrl+Enter");
    const buttons = [this.#call, hint, this.#keepOpen, this.#end, this.#stop, this.#compare, this.#link];
    form.append(this.#problem, element("div", { class: "actions" }, ...buttons));
    const note = this.#note();
    if (note !== "") form.append(element("p", { class: "note" }, note));
    this.#listen(form);
    return form;
  }

  #listen(form: HTMLFormElement): void {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.#request.addEventListener("input", () => this.#showLines());
    this.#deadline.addEventListener("input", () => this.#showLines());
    this.#route.addEventListener("change", () => this.#changeRoute());
    this.#compare.addEventListener("click", () => this.#withCall((call) => void this.#runner.run(this.#served, call)));
    this.#keepOpen.addEventListener("click", () => this.#withCall((call) => this.#open(call)));
    this.#end.addEventListener("click", () => this.#runner.end());
    this.#stop.addEventListener("click", () => this.#runner.stop());
    this.#link.addEventListener("click", () => void this.#copyLink());
  }

  #submit(): void {
    if (this.#runner.state === "running" || !this.#canCall()) return;
    this.#withCall((call) => {
      const protocol = this.#chosenProtocol();
      if (this.#runner.state === "open") this.#runner.sendMessages(call.messages);
      else if (protocol !== undefined) void this.#runner.run([protocol], call);
    });
  }

  #open(call: Call): void {
    const protocol = this.#chosenProtocol();
    if (protocol !== undefined) void this.#runner.open(protocol, call, canStreamRequests());
  }

  #canCall(): boolean {
    return this.#served.length > 0 && !(this.#method.kind === "bidi_streaming" && isHttp1());
  }

  /** What the browser cannot do with this method; empty for nothing. */
  #note(): string {
    const { kind } = this.#method;
    if (this.#served.length === 0) return "Browsers do not speak the protocols of this method. Copy a line below.";
    if (kind === "bidi_streaming" && isHttp1()) {
      return "A bidirectional stream needs HTTP/2, which browsers speak with TLS alone. Copy a line below.";
    }
    if (kind === "bidi_streaming") return "Browsers show the responses when you end the stream.";
    if (!this.#isMany || canStreamRequests()) return "";
    return "Over HTTP/1.1, the browser sends an open stream when you end it.";
  }

  #showState(): void {
    const { state } = this.#runner;
    this.#call.textContent = state === "open" ? "Send" : "Call";
    this.#call.disabled = !this.#canCall();
    this.#keepOpen.hidden = !this.#isMany || state !== "idle" || !this.#canCall();
    this.#compare.hidden = !this.#method.isSafe || this.#isMany || this.#served.length < 2 || state !== "idle";
    this.#end.hidden = state !== "open";
    clearTimeout(this.#stopTimer);
    this.#stop.hidden = state !== "open";
    // Most calls are over before a button could be pressed.
    if (state === "running") this.#stopTimer = setTimeout(() => this.#offerStop(), 250);
  }

  #offerStop(): void {
    this.#stop.hidden = false;
  }

  #requestLabel(): string {
    return this.#isMany ? "Request, as JSON; an array sends several" : "Request, as JSON";
  }

  #chosenProtocol(): Protocol | undefined {
    return this.#served.find(({ id }) => id === this.#protocol.value);
  }

  #chosenRoute(): Route | undefined {
    return this.#method.routes[Math.max(0, this.#route.selectedIndex)];
  }

  #sample(): string {
    const sample = sampleFor(this.#method, this.#chosenRoute());
    return format(this.#isMany ? [sample] : sample);
  }

  #fill(text: string): void {
    this.#request.value = text;
    this.#request.defaultValue = text;
    this.#request.rows = Math.min(20, text.split("\n").length);
  }

  /** Another route may need other fields; what was typed stays. */
  #changeRoute(): void {
    if (this.#request.value === this.#request.defaultValue) this.#fill(this.#sample());
    this.#showLines();
  }

  /** Changes the first message. */
  #edit(change: (message: JsonValue) => JsonValue): void {
    this.#withProblem(() => {
      const [first = {}, ...others] = readMessages(this.#request.value, this.#isMany);
      this.#request.value = format(this.#isMany ? [change(first), ...others] : change(first));
      this.#showLines();
    });
  }

  /** @throws Error if what is typed cannot be read */
  #read(): Call {
    const messages = readMessages(this.#request.value, this.#isMany);
    return {
      method: this.#method,
      route: this.#chosenRoute(),
      base: this.#page.base,
      messages: messages.map((message) => resolveFiles(message, this.#files.files)),
      headers: this.#page.headers.read(),
      timeoutMs: readDeadline(this.#deadline.value),
    };
  }

  #withCall(use: (call: Call) => void): void {
    this.#withProblem(() => use(this.#read()));
  }

  #withProblem(work: () => void): void {
    this.#problem.textContent = "";
    try {
      work();
    } catch (error) {
      this.#problem.textContent = (error as Error).message;
    }
  }

  #showLines(): void {
    this.#withCall((call) => {
      const lines = listLines(call).filter(({ text }) => text.length <= maxLineLength);
      this.#lines.replaceChildren(...lines.map(lineView));
    });
  }

  #saved(protocol: string, request: string): SavedCall {
    const { service, name } = this.#method;
    const route = Math.max(0, this.#route.selectedIndex);
    return { method: `${service}.${name}`, protocol, route, deadline: this.#deadline.value.trim(), request };
  }

  #remember(protocol: Protocol, { messages }: Call, { isOk, status, durationMs }: Outcome): void {
    const isTyped = !this.#isMany || messages.length === 0;
    const request = isTyped ? this.#request.value : format(messages.length === 1 ? messages[0] : [...messages]);
    this.#page.history.add({ ...this.#saved(protocol.id, request), isOk, status, durationMs });
  }

  async #copyLink(): Promise<void> {
    const link = formatLink(this.#saved(this.#protocol.value, this.#request.value));
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(location.href);
      this.#link.textContent = "Copied";
      setTimeout(() => {
        this.#link.textContent = "Copy link";
      }, 1500);
    } catch {
      // No permission: the address bar has the link.
    }
  }
}

function button(text: string, type = "button"): HTMLButtonElement {
  return element("button", type === "submit" ? { type } : { type, class: "second" }, text);
}

function optionOf({ httpMethod, template }: Route): HTMLOptionElement {
  return element("option", {}, `${httpMethod} ${template}`);
}

function format(value: JsonValue | undefined): string {
  return JSON.stringify(value, undefined, 2);
}
