// Makes functions of code that is written for one message type.
import { messagesBeforeCode } from "./code-threshold.js";

/** Whether messages are read and written by code that is made of their types. */
export interface CodeOptions {
  /** Whether to make code of message types, where the runtime does. Default true. */
  readonly compiles?: boolean | undefined;
}

/**
 * Interprets the first messages, and makes code for those after them: code for a type of 100 fields takes as long as reading or
 * writing hundreds of its messages, and most types of a large API have few.
 *
 * @param compile makes the code
 * @param replace is called with what it returns, to be used from then on
 */
export function interpretFirst<Args extends unknown[], Result>(
  interpreted: (...args: Args) => Result,
  compile: () => (...args: Args) => Result,
  replace: (compiled: (...args: Args) => Result) => void,
): (...args: Args) => Result {
  let left = messagesBeforeCode;
  return (...args) => {
    if (left-- > 0) return interpreted(...args);
    const compiled = compile();
    replace(compiled);
    return compiled(...args);
  };
}

/** Writes the code of a function, and binds it to the values that it uses. */
export class Code {
  readonly #names = new Map<unknown, string>();
  readonly #lines: string[] = [];
  #indent = "";

  /** Adds lines. A line that ends with `{` begins a block, and one that begins with `}` ends it. */
  add(...lines: readonly string[]): void {
    for (const line of lines) {
      if (line.startsWith("}")) this.#indent = this.#indent.slice(2);
      this.#lines.push(this.#indent + line);
      if (line.endsWith("{")) this.#indent += "  ";
    }
  }

  /** Returns the name by which the code uses a value, such as a function. Each value has one name. */
  use(value: unknown, prefix: string): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const name = `${prefix}${this.#names.size}`;
    this.#names.set(value, name);
    return name;
  }

  /** Returns the name by which the code uses a function: its own if it has a usable one, so that the code can be read. */
  call(run: (...args: never[]) => unknown): string {
    return this.use(run, `${/^[a-z]\w*$/i.test(run.name) ? run.name : "call"}_`);
  }

  toString(): string {
    return this.#lines.join("\n");
  }

  /**
   * Runs the code. Returns what it returns.
   *
   * @param title names the code in stack traces and profiles. It may come from another server, as all names of types may.
   * @throws EvalError where the runtime makes no functions of text
   */
  run(title: string): unknown {
    const source = `"use strict";\n${this}\n//# sourceURL=manywire:${title.replace(/[^\w.]/g, "_")}`;
    if (isPrinted(title)) process.stderr.write(`// ${title}\n${this}\n\n`);
    return new Function(...this.#names.values(), source)(...this.#names.keys());
  }
}

/** Whether the environment variable `MANYWIRE_PRINT_CODE` has the beginning of the title. */
function isPrinted(title: string): boolean {
  try {
    const prefix = globalThis.process?.env?.MANYWIRE_PRINT_CODE;
    return prefix !== undefined && prefix !== "" && title.startsWith(prefix);
  } catch {
    return false; // Deno throws without the permission to read the variable.
  }
}

/**
 * Whether the runtime makes functions of text. Node with `--disallow-code-generation-from-strings` does not. Cloudflare's
 * workers do so while they start, and not while they serve. Pages are not even asked: where a Content-Security-Policy forbids
 * it, the browser would report the question as a violation.
 */
export const canRunCode: boolean =
  globalThis.process?.versions?.node !== undefined &&
  globalThis.navigator?.userAgent !== "Cloudflare-Workers" &&
  detect();

function detect(): boolean {
  try {
    return new Function("return true")() === true;
  } catch {
    return false; // EvalError: the only error that there can be.
  }
}
