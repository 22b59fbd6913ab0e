// Reads what has been typed into the form of a method.
import type { JsonValue } from "./method.js";

/** The request; or the requests, where there are many. @throws Error that says what is expected */
export function readMessages(text: string, isMany: boolean): JsonValue[] {
  let value: JsonValue;
  try {
    value = JSON.parse(text === "" ? "{}" : text);
  } catch (error) {
    throw new Error(`Request: ${(error as Error).message}`);
  }
  if (!isMany) return [value];
  if (!Array.isArray(value)) throw new Error("Request: expected an array of messages");
  return value;
}

/** Lower-case name → value. @throws Error that says what is expected */
export function readHeaders(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const pairs = lines.map((line) => {
    const [, name, value = ""] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`Headers: expected "name: value", found "${line.trim()}"`);
    return [name.toLowerCase(), value] as const;
  });
  return Object.fromEntries(pairs);
}
