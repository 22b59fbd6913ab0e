// Checks the names of options of interceptors, which TypeScript does not do for programs in JavaScript.
import { describeValue, quote } from "../quote.js";
import { didYouMean } from "../suggest.js";

/**
 * @param caller for errors: `jwt: `, or the path of a nested object, `jwt: rules[0]: `
 * @throws TypeError that names an unknown option, or says that there are no options
 */
export function checkNames(caller: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`${caller}expected options, found ${describeValue(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new TypeError(`${caller}unknown option ${quote(name)}${didYouMean(name, known)}`);
  }
}
