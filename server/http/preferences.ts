// Turns a request header such as Accept or Accept-Encoding into names in order of preference (RFC 9110 section 12.4.2).

/** The names that the header has, the best first, in lower case, without those ruled out. */
export function readPreferences(value = ""): string[] {
  return value
    .split(",")
    .map((entry) => {
      const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith("q="));
      return { name, quality: weight === undefined ? 1 : Number(weight.slice("q=".length)) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ name }) => name);
}
