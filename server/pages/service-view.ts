// Writes one service as a part of the landing page.
import type { DescMessage } from "@bufbuild/protobuf";
import type { Comments } from "../openapi/comments.js";
import type { MethodInfo } from "./browser/method.js";
import { commentOf, type DescribedMethod, type DescribedService } from "./description.js";
import { type Html, html, jsonAttribute } from "./html.js";
import { markdown } from "./markdown.js";
import { deprecation, shortName } from "./types-view.js";

/**
 * The markup of a service, in a part for each method.
 *
 * @param opened the method that is open to begin with
 */
export function* serviceView(
  { desc, methods }: DescribedService,
  comments: Comments,
  opened: DescribedMethod | undefined,
): Generator<Html> {
  yield html`
<section class="service" aria-labelledby="${desc.typeName}">
<h2 id="${desc.typeName}">${breakable(desc.typeName)}</h2>
<div class="comment">${markdown(commentOf(comments, desc))}</div>
`;
  for (const method of methods) yield methodView(method, comments, method === opened);
  yield html`
</section>`;
}

function methodView({ desc, info }: DescribedMethod, comments: Comments, isOpen: boolean): Html {
  const { input, output } = desc;
  return html`
<details class="method" id="${desc.parent.typeName}.${desc.name}" data-method=${jsonAttribute(info)}${isOpen ? openAttribute : ""}>
<summary><h3>${desc.name}</h3>${deprecation(desc)}${badges(info)}</summary>
<div class="comment">${markdown(commentOf(comments, desc))}</div>
<details class="more"><summary class="fold">${shortName(input)} → ${shortName(output)}</summary>
<ul><li>Request: ${typeLink(input)}</li><li>Response: ${typeLink(output)}</li></ul>
</details>
</details>`;
}

/** The script of the page shows the type in place. */
function typeLink({ typeName }: DescMessage): Html {
  return html`<a href="#${typeName}">${typeName}</a>`;
}

const openAttribute = html` open`;

const kindNames: Readonly<Record<MethodInfo["kind"], string>> = {
  unary: "",
  server_streaming: "server stream",
  client_streaming: "client stream",
  bidi_streaming: "bidirectional stream",
};

function badges({ kind, routes: [route, ...others] }: MethodInfo): Html {
  const more = others.length === 0 ? "" : ` +${others.length}`;
  return html`${
    kind === "unary" ? "" : html`<span class="badge">${kindNames[kind]}</span>`
  }${route === undefined ? "" : html`<span class="route">${route.httpMethod} ${route.template}${more}</span>`}`;
}

/** A long name is broken at its dots, where it has to be. */
function breakable(name: string): Html {
  return html`${name.split(".").map((part, index) => (index === 0 ? part : html`.<wbr>${part}`))}`;
}
