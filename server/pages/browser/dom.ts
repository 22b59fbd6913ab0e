// Makes elements, always from text and never from markup.

type Child = Node | string;

/** An element with attributes and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** A field of a form, and the label that belongs to it. */
export function labelled(text: string, field: HTMLElement): HTMLLabelElement {
  return element("label", {}, element("span", {}, text), field);
}
