// A switch of a few options, side by side: radio buttons, so that arrow keys move between them.
import { element } from "./dom.js";

export interface Option {
  readonly value: string;
  readonly label: string;
}

let groups = 0;

export class Choice {
  readonly root: HTMLFieldSetElement;
  readonly #inputs: readonly HTMLInputElement[];

  /** The first option is chosen. */
  constructor(legend: string, options: readonly Option[], onChange: () => void) {
    const name = `choice-${groups++}`;
    this.#inputs = options.map(({ value }) => element("input", { type: "radio", name, value }));
    const labels = this.#inputs.map((input, index) =>
      element("label", {}, input, element("span", {}, options[index]?.label ?? "")),
    );
    this.root = element("fieldset", { class: "choice" }, element("legend", {}, legend), ...labels);
    this.root.addEventListener("change", onChange);
    this.value = options[0]?.value ?? "";
  }

  get value(): string {
    return this.#inputs.find(({ checked }) => checked)?.value ?? "";
  }

  /** A value that is no option changes nothing. */
  set value(value: string) {
    const input = this.#inputs.find((one) => one.value === value);
    if (input !== undefined) input.checked = true;
  }
}
