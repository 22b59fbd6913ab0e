// Shows the types of a method where they are used. The page has each type once, at its end. Opening one makes a copy.
import { element } from "./dom.js";

/** Fills the part of a method that links to its request and response with their tables, once it is opened. */
export function showTypesIn(details: HTMLDetailsElement): void {
  onFirstOpen(details, () => {
    for (const item of details.querySelectorAll("li")) {
      const link = item.querySelector("a");
      const table = link && copyOf(link.hash.slice(1));
      if (table) item.append(table);
    }
  });
}

/** A copy of the comment and the table of a type, in which the links to other types open their tables. */
function copyOf(typeName: string): HTMLElement | undefined {
  const type = document.getElementById(typeName);
  if (type === null) return undefined;
  const copies = [...type.children].filter(({ tagName }) => tagName !== "H2").map((child) => child.cloneNode(true));
  const copy = element("div", {}, ...copies);
  for (const link of copy.querySelectorAll<HTMLAnchorElement>(".type > a")) foldIn(link);
  return copy;
}

/** Replaces a link by its text, and puts the table that it led to behind a summary below. */
function foldIn(link: HTMLAnchorElement): void {
  const typeName = link.hash.slice(1);
  const nested = element("details", { class: "nested" }, element("summary", { class: "fold" }, link.textContent ?? ""));
  onFirstOpen(nested, () => nested.append(copyOf(typeName) ?? ""));
  link.closest("dt")?.nextElementSibling?.append(nested);
  link.replaceWith(...link.childNodes);
}

function onFirstOpen(details: HTMLDetailsElement, fill: () => void): void {
  details.addEventListener("toggle", fill, { once: true });
}
