// Turns a document into JSON, part by part: `JSON.stringify` of a large document would block the event loop.

/** JSON of a value, in parts. Values more than `depth` levels down are one part each. */
export function* jsonPieces(value: unknown, depth: number): Generator<string> {
  if (depth === 0 || typeof value !== "object" || value === null || Array.isArray(value)) {
    yield JSON.stringify(value);
    return;
  }
  let separator = "{";
  for (const [name, member] of Object.entries(value)) {
    // As in JSON.stringify, members without a value are left out.
    if (member === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    yield* jsonPieces(member, depth - 1);
    separator = ",";
  }
  yield separator === "{" ? "{}" : "}";
}
