// Writes the list of all methods beside a long page, with a box to search them.
import type { DescribedService } from "./description.js";
import { type Html, html } from "./html.js";

/** A page of fewer methods is looked through without a list. */
const minMethods = 15;

/** The list; nothing for a page of few methods. The box works with the script alone, which shows it. */
export function methodIndex(services: readonly DescribedService[]): Html {
  const count = services.reduce((sum, { methods }) => sum + methods.length, 0);
  if (count < minMethods) return html``;
  return html`<nav class="index" aria-label="Methods">
<div role="search" hidden><input type="search" name="search" placeholder="Search ${count} methods" aria-label="Search methods" autocomplete="off"><p class="hint" role="status"></p></div>
<ul>${services.map(serviceItem)}</ul>
</nav>`;
}

function serviceItem({ desc, methods }: DescribedService): Html {
  const items = methods.map((method) => {
    const { name } = method.desc;
    return html`<li><a href="#${desc.typeName}.${name}">${name}</a></li>`;
  });
  return html`<li><a class="service-link" href="#${desc.typeName}" title="${desc.typeName}">${desc.name}</a><ul>${items}</ul></li>
`;
}
