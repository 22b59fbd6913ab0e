// Reads the header `Forwarded` (RFC 7239 section 4).

/** What one proxy says. Values are without quotes, and otherwise as the proxy has written them. */
export interface ForwardedElement {
  readonly for?: string;
  readonly host?: string;
  readonly proto?: string;
}

/**
 * A parameter, or nothing where there may be one, and what ends it. White space at `;`, which the grammar does not have, is
 * common. Sticky: a value is read from its beginning to its end, once.
 */
const part = /[ \t]*(?:([!#$%&'*+.^`|~\w-]+)=(?:([!#$%&'*+.^`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?([;,]|$)/y;

/** Returns the elements in their order, or undefined if the value is malformed. */
export function parseForwarded(value: string): ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = [];
  let element = new Map<string, string>();
  const pattern = new RegExp(part);
  for (let end = ""; end !== "$"; ) {
    const match = pattern.exec(value);
    if (match === null) return undefined;
    const [, name, token, quoted = ""] = match;
    if (name !== undefined) {
      const key = name.toLowerCase();
      if (element.has(key)) return undefined;
      element.set(key, token ?? quoted.replaceAll(/\\(.)/g, "$1"));
    }
    end = match[4] || "$";
    if (end === ";" || element.size === 0) continue;
    elements.push(Object.fromEntries(element));
    element = new Map();
  }
  return elements;
}
