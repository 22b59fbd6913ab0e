// Passes on what processes write, so that their lines do not mix.
import type { Readable } from "node:stream";

/** A line that is longer is passed on in parts, in characters. */
const lineLength = 1 << 20;

/** Passes on whole lines; at the end also what is left. Resolves at the end. */
export function forwardLines(stream: Readable, write: (lines: string) => void): Promise<void> {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const end = text.lastIndexOf("\n") + 1;
    if (end > 0) write(rest + text.slice(0, end));
    rest = end > 0 ? text.slice(end) : rest + text;
    if (rest.length <= lineLength) return;
    write(rest);
    rest = "";
  });
  return new Promise((resolve) => {
    stream.on("error", () => {});
    stream.on("close", () => {
      if (rest !== "") write(`${rest}\n`);
      resolve();
    });
  });
}
