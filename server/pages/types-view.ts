// Writes the messages and enums of all methods, each once. The script of the page shows them where they are used.
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { Comments } from "../openapi/comments.js";
import { commentOf, type DescribedService } from "./description.js";
import { fieldNotes } from "./field-notes.js";
import { type Html, html } from "./html.js";
import { markdown } from "./markdown.js";

type Type = DescMessage | DescEnum;

/** The part of the page with all types, one after the other. */
export function* typesView(services: readonly DescribedService[], comments: Comments): Generator<Html> {
  const types = listTypes(services);
  if (types.length === 0) return;
  yield html`
<details class="types"><summary class="fold">Types</summary>`;
  for (const type of types) {
    yield html`
<section class="type-view" id="${type.typeName}"><h2>${type.typeName}</h2>${typeView(type, comments)}</section>`;
  }
  yield html`
</details>`;
}

/** All types of requests and responses, in the order in which they are reached. */
function listTypes(services: readonly DescribedService[]): Type[] {
  const types = new Set<Type>();
  const waiting: Type[] = services
    .flatMap(({ methods }) => methods.flatMap(({ desc }) => [desc.input, desc.output]))
    .reverse();
  for (let type = waiting.pop(); type !== undefined; type = waiting.pop()) {
    if (types.has(type)) continue;
    types.add(type);
    if (type.kind === "message") waiting.push(...type.fields.flatMap((field) => typeOf(field) ?? []).reverse());
  }
  return [...types];
}

/** The type that a field's table leads to; undefined for scalars and well-known types. */
function typeOf({ enum: enumeration, message }: DescField): Type | undefined {
  if (enumeration !== undefined) return enumeration.typeName === "google.protobuf.NullValue" ? undefined : enumeration;
  return message === undefined || hasCustomJsonRepresentation(message) ? undefined : message;
}

function typeView(type: Type, comments: Comments): Html {
  const comment = html`<div class="comment">${markdown(commentOf(comments, type))}</div>`;
  const rows = type.kind === "message" ? fieldRows(type, comments) : valueRows(type, comments);
  return rows.length === 0 ? html`${comment}<p>No fields.</p>` : html`${comment}<dl class="fields">${rows}</dl>`;
}

function fieldRows(desc: DescMessage, comments: Comments): Html[] {
  return desc.fields.map((field) => {
    const notes = fieldNotes(field).map((note) => html` <span class="badge">${note}</span>`);
    const comment = markdown(commentOf(comments, field));
    return html`<dt>${field.jsonName} <span class="type">${typeName(field)}</span>${notes}</dt><dd>${comment}</dd>
`;
  });
}

function valueRows(desc: DescEnum, comments: Comments): Html[] {
  return desc.values.map((value) => {
    const comment = markdown(commentOf(comments, value));
    return html`<dt>${value.name} <span class="type">${value.number}</span>${deprecation(value)}</dt><dd>${comment}</dd>
`;
  });
}

export function deprecation({ deprecated }: { deprecated: boolean }): Html {
  return deprecated ? html` <span class="badge">deprecated</span>` : html``;
}

function typeName(field: DescField): Html {
  if (field.fieldKind === "map") return html`map&lt;${scalarName(field.mapKey)}, ${valueName(field)}&gt;`;
  return field.fieldKind === "list" ? html`repeated ${valueName(field)}` : valueName(field);
}

function valueName(field: DescField): Html {
  const named = field.enum ?? field.message;
  if (named === undefined) return html`${scalarName(field.scalar)}`;
  const type = typeOf(field);
  return type === undefined ? html`${named.name}` : html`<a href="#${type.typeName}">${shortName(type)}</a>`;
}

function scalarName(scalar: ScalarType | undefined): string {
  return scalar === undefined ? "" : ScalarType[scalar].toLowerCase();
}

/** The name within its package. */
export function shortName({ typeName, file }: Pick<DescMessage, "typeName" | "file">): string {
  return file.proto.package === "" ? typeName : typeName.slice(file.proto.package.length + 1);
}
