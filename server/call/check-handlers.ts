// Checks the names of handlers, which TypeScript does not do for programs in JavaScript.
import type { DescService } from "@bufbuild/protobuf";
import { describeValue, quote } from "../quote.js";
import { didYouMean } from "../suggest.js";

/**
 * Checks an object of handlers. Instances of classes may have methods of their own, and are not checked.
 *
 * @throws TypeError that names the service and the handler: the service has no such method, or it is not a function
 */
export function checkHandlers(service: DescService, handlers: object): void {
  if (Object.getPrototypeOf(handlers) !== Object.prototype) return;
  const names = service.methods.map(({ localName }) => localName);
  for (const [name, handler] of Object.entries(handlers)) {
    const isKnown = names.includes(name);
    if (!isKnown && typeof handler === "function") {
      const methods = names.length === 0 ? "It has none." : `It has ${names.join(", ")}.`;
      throw new TypeError(`${service.typeName}: no method ${quote(name)}${didYouMean(name, names) || "."} ${methods}`);
    }
    if (isKnown && handler !== undefined && typeof handler !== "function") {
      throw new TypeError(`${service.typeName}.${name}: expected a function, found ${describeValue(handler)}`);
    }
  }
}
