// Searches the methods of a long page: hides those that do not match, in the list and on the page.
import { element } from "./dom.js";

/** Starts the search box, if the page has one. */
export function startSearch(): void {
  const box = document.querySelector<HTMLElement>("[role=search]");
  const input = box?.querySelector("input");
  const status = box?.querySelector("[role=status]") ?? element("p");
  if (!box || !input) return;
  box.hidden = false;
  const methods = [...document.querySelectorAll<HTMLElement>("main details.method")].map(toEntry);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { element: method, link, text } of methods) {
      const isHidden = !words.every((word) => text.includes(word));
      method.hidden = isHidden;
      if (link !== undefined) link.hidden = isHidden;
      if (!isHidden && link !== undefined) found++;
    }
    hideEmpty(".service", "details.method");
    hideEmpty(".index > ul > li", "ul > li");
    status.textContent = words.length === 0 ? "" : `${found} found`;
  });
  // As on the sites of GitHub and many others.
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target !== document.body) return;
    event.preventDefault();
    input.focus();
  });
}

interface Entry {
  readonly element: HTMLElement;
  /** The item of the list; undefined for a method that the list does not have. */
  readonly link: HTMLElement | undefined;
  /** Name, route and comment, in small letters. */
  readonly text: string;
}

function toEntry(method: HTMLElement): Entry {
  const link = document.querySelector<HTMLElement>(`.index a[href="#${CSS.escape(method.id)}"]`)?.closest("li");
  const texts = [
    method.id,
    method.querySelector("summary")?.textContent,
    method.querySelector(".comment")?.textContent,
  ];
  return { element: method, link: link ?? undefined, text: texts.join(" ").toLowerCase() };
}

/** Hides what has no visible item. */
function hideEmpty(selector: string, items: string): void {
  for (const part of document.querySelectorAll<HTMLElement>(selector)) {
    const all = [...part.querySelectorAll<HTMLElement>(items)];
    part.hidden = all.length > 0 && all.every(({ hidden }) => hidden);
  }
}
