// Writes patterns of resource names without wildcards: `shelves/{shelf}/books/{book}`. The `*/` of `shelves/*/books/*` ends
// the doc comments of generated code.

/** `shelves` → `shelf`, `books` → `book`, `categories` → `category`; good enough for a name. */
export function singular(text: string): string {
  const word = text.replace(/\W+/g, "_");
  return word
    .replace(/ies$/, "y")
    .replace(/(?<=[lr])ves$/, "f")
    .replace(/(?<=ss|x|ch|sh)es$/, "")
    .replace(/(?<=[^s])s$/, "");
}

/** A wildcard behind a literal, as a segment of its own. */
const wildcard = /\b([A-Za-z][\w-]*)\/(\*\*?)(?=[\s/`'",;:)\]}]|\.(?:\s|$)|$)/g;

/** A text in which `shelves/*` is `shelves/{shelf}` and nothing ends a comment. */
export function withoutWildcards(text: string): string {
  if (!text.includes("/*") && !text.includes("*/")) return text;
  return text
    .replace(wildcard, (pattern, collection: string, star: string) => {
      const name = singular(collection);
      // "image/*" is no resource.
      return name === collection ? pattern : `${collection}/{${name}${star === "**" ? "=**" : ""}}`;
    })
    .replaceAll("*/", "* /");
}
