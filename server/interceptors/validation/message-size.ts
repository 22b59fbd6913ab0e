// Whether a message is small, so that listing all that is wrong with it costs little.
import type { Message } from "@bufbuild/protobuf";

/** Fields, items and entries of a small message, those of messages inside it included. */
const valuesMax = 1000;

export function isSmall(message: Message): boolean {
  let count = 0;
  const objects: object[] = [message];
  for (let object = objects.pop(); object !== undefined; object = objects.pop()) {
    if (object instanceof Uint8Array) continue;
    if (Array.isArray(object) && object.length > valuesMax) return false;
    // Unlike Object.values, which would list all entries of a large map first.
    for (const name in object) {
      if (++count > valuesMax) return false;
      const value: unknown = object[name as keyof typeof object];
      if (typeof value === "object" && value !== null) objects.push(value);
    }
  }
  return true;
}
