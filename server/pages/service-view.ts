// Writes one service as a part of the landing page: what there is to read of it, which a script makes callable.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import type { Comments } from "../openapi/comments.js";
import type { MethodInfo } from "./browser/method.js";
import { commentOf, type DescribedMethod, type DescribedService } from "./description.js";
import { type Html, html } from "./html.js";

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
${paragraphs(commentOf(comments, desc))}
`;
  for (const method of methods) yield methodView(method, comments, method === opened);
  yield html`
</section>`;
}

function methodView({ desc, info }: DescribedMethod, comments: Comments, isOpen: boolean): Html {
  const both = [["Request", desc.input] as const, ["Reply", desc.output] as const];
  const messages = desc.input === desc.output ? [["Request and reply", desc.input] as const] : both;
  return html`
<details class="method" id="${desc.parent.typeName}.${desc.name}" data-method="${JSON.stringify(info)}"${isOpen ? openAttribute : ""}>
<summary><h3>${desc.name}</h3>${deprecation(desc)}${badges(info)}</summary>
${paragraphs(commentOf(comments, desc))}
<details class="more"><summary>${shortName(desc.input)} → ${shortName(desc.output)}</summary>
${messages.map(([title, message]) => fieldTable(title, message, comments))}
</details>
</details>`;
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

function fieldTable(title: string, desc: DescMessage, comments: Comments): Html {
  const caption = html`<p class="message-name"><b>${title}</b> ${desc.typeName}</p>${paragraphs(commentOf(comments, desc))}`;
  if (desc.fields.length === 0) return html`${caption}<p>No fields.</p>`;
  const rows = desc.fields.map(
    (field) =>
      html`<dt>${field.jsonName} <span class="type">${typeName(field)}</span>${deprecation(field)}</dt><dd>${paragraphs(commentOf(comments, field))}</dd>`,
  );
  return html`${caption}<dl class="fields">${rows}</dl>`;
}

function deprecation({ deprecated }: { deprecated: boolean }): Html {
  return deprecated ? html` <span class="badge">deprecated</span>` : html``;
}

function typeName(field: DescField): string {
  if (field.fieldKind === "map") return `map<${scalarName(field.mapKey)}, ${valueName(field)}>`;
  return field.fieldKind === "list" ? `repeated ${valueName(field)}` : valueName(field);
}

function valueName({ enum: enumeration, message, scalar }: DescField): string {
  const named = enumeration ?? message;
  return named === undefined ? scalarName(scalar) : shortName(named);
}

function scalarName(scalar: ScalarType | undefined): string {
  return scalar === undefined ? "" : ScalarType[scalar].toLowerCase();
}

/** A long name is broken at its dots, where it has to be. */
function breakable(name: string): Html {
  return html`${name.split(".").map((part, index) => (index === 0 ? part : html`.<wbr>${part}`))}`;
}

/** The name within its package. */
function shortName({ typeName, file }: Pick<DescMessage, "typeName" | "file">): string {
  return file.proto.package === "" ? typeName : typeName.slice(file.proto.package.length + 1);
}

/** A comment: empty lines part it into paragraphs, backticks mark code. */
export function paragraphs(comment: string): Html {
  const parts = comment.split(/\n\s*\n/).map((part) => part.trim());
  return html`${parts.filter((part) => part !== "").map((part) => html`<p>${marked(part)}</p>`)}`;
}

function marked(text: string): Html {
  return html`${text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))}`;
}
