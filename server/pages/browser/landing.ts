// The script of the landing page: says where the server is, and gives each method its form when it is opened.
import { HeadersBox } from "./headers-box.js";
import { HistoryView } from "./history-view.js";
import { parseLink } from "./link.js";
import type { MethodInfo } from "./method.js";
import { MethodForm } from "./method-form.js";
import { startSearch } from "./method-search.js";
import type { Page } from "./page.js";
import { showTypesIn } from "./type-tables.js";

const page: Page = {
  base: new URL(".", location.href).href.replace(/\/$/, ""),
  headers: new HeadersBox(),
  history: new HistoryView(openLink),
};

for (const place of document.querySelectorAll("[data-base]")) place.textContent = page.base;
for (const place of document.querySelectorAll("[data-tools]")) place.append(page.headers.root, page.history.root);
for (const details of document.querySelectorAll<HTMLDetailsElement>("details.more")) showTypesIn(details);

const forms = new Map<HTMLElement, MethodForm>();

/** Gives a method its form. */
function equip(details: HTMLElement): MethodForm {
  const method: MethodInfo = JSON.parse(details.dataset.method ?? "");
  const form = forms.get(details) ?? new MethodForm(method, page);
  if (!forms.has(details)) details.append(form.root);
  forms.set(details, form);
  return form;
}

for (const details of document.querySelectorAll<HTMLDetailsElement>("details[data-method]")) {
  details.addEventListener("toggle", () => {
    if (details.open) equip(details);
  });
  if (details.open) equip(details);
}

/** Opens the method or the type that a link names, and what it is in, and fills in the call. */
function openLink(fragment: string): void {
  const { id, call } = parseLink(fragment);
  const target = document.getElementById(id);
  for (let part = target; part !== null; part = part.parentElement) {
    if (part instanceof HTMLDetailsElement) part.open = true;
  }
  if (target !== null && call !== undefined && target.matches("[data-method]")) equip(target).fill(call);
  target?.scrollIntoView();
}

addEventListener("hashchange", () => openLink(location.hash));
openLink(location.hash);
startSearch();
