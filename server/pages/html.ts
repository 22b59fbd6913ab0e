// Writes HTML from templates, in which every value is escaped.

/** Markup. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | readonly Value[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template for text and for quoted attributes. Lists are joined. */
export function html(markup: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(String.raw({ raw: markup }, ...values.map(toMarkup)));
}

function toMarkup(value: Value): string {
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(toMarkup).join("");
  return String(value).replace(/[&<>"']/g, (character) => entities[character] as string);
}

/**
 * A value as JSON, in the quotes of an attribute. JSON has many double quotes, which would be escaped in double quotes.
 */
export function jsonAttribute(value: unknown): Html {
  const text = JSON.stringify(value).replace(/[&<>']/g, (character) => entities[character] as string);
  return new Html(`'${text}'`);
}
