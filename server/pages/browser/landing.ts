// The script of the landing page: says where the server is, and gives each method its form when it is opened.

import type { MethodInfo } from "./method.js";
import { MethodForm } from "./method-form.js";

/** Where the page came from, without the slash at the end: the server, or what stands before it under a path. */
const base = new URL(".", location.href).href.replace(/\/$/, "");

for (const place of document.querySelectorAll("[data-base]")) place.textContent = base;

for (const details of document.querySelectorAll<HTMLDetailsElement>("details[data-method]")) {
  const equip = () => {
    if (details.open && details.querySelector(".workbench") === null) {
      const method: MethodInfo = JSON.parse(details.dataset.method ?? "");
      details.append(new MethodForm(method, base).root);
    }
  };
  details.addEventListener("toggle", equip);
  equip();
}

/** Opens the method that the address names, and what it is in. */
function openTarget(): void {
  const target = document.getElementById(location.hash.slice(1));
  for (let part = target; part !== null; part = part.parentElement) {
    if (part instanceof HTMLDetailsElement) part.open = true;
  }
  target?.scrollIntoView();
}

addEventListener("hashchange", openTarget);
openTarget();
