// Shows one line to copy, with the button that copies it.
import { element } from "./dom.js";
import type { Line } from "./lines.js";

export function lineView({ caller, tool, text }: Line): HTMLLIElement {
  const code = element("code", {}, text);
  const button = element(
    "button",
    { type: "button", class: "copy", "aria-label": `Copy the line for ${caller}` },
    "Copy",
  );
  button.addEventListener("click", () => void copy(text, code, button));
  const name = element("span", { class: "caller" }, caller);
  if (tool !== "") name.append(" ", element("span", { class: "tool" }, tool));
  const block = element("pre", { tabindex: "0", "aria-label": `${caller}: line to copy`, role: "group" }, code);
  return element("li", {}, name, block, button);
}

/** Selects the text if the page must not write to the clipboard. */
async function copy(text: string, code: HTMLElement, button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1500);
  } catch {
    // No permission, or a page without TLS.
    getSelection()?.selectAllChildren(code);
  }
}
