// Writes requests and differences as a person would like to read them.
import type { Visible } from "./compare.js";
import type { Sample } from "./generate.js";

export function describeSample({ httpVersion, verb, target, headers, chunks, isSized }: Sample): string {
  const fields = headers.map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
  const body = chunks.map((chunk) => `  ${JSON.stringify(chunk.toString("latin1"))}`);
  const framing = isSized ? "  (with its length)" : "  (in chunks)";
  return [`HTTP/${httpVersion} ${verb} ${target}`, ...fields, framing, ...body].join("\n");
}

/** The parts in which two responses differ. */
export function describeDifference(fast: Visible, reference: Visible): string {
  const parts = ["status", "headers", "trailers", "body", "end"] as const;
  return parts
    .filter((part) => JSON.stringify(fast[part]) !== JSON.stringify(reference[part]))
    .map(
      (part) =>
        `  ${part}:\n    fast:      ${JSON.stringify(fast[part])}\n    reference: ${JSON.stringify(reference[part])}`,
    )
    .join("\n");
}
