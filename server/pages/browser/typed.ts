// Reads what has been typed into the form of a method.
import type { JsonValue } from "./method.js";

/** The request; where there are many, an array is all of them. @throws Error that says what is expected */
export function readMessages(text: string, isMany: boolean): JsonValue[] {
  let value: JsonValue;
  try {
    value = JSON.parse(text === "" ? "{}" : text);
  } catch (error) {
    throw new Error(`Request: ${(error as Error).message}`);
  }
  return isMany && Array.isArray(value) ? value : [value];
}

/** Longest deadline that gRPC can say in milliseconds: 8 digits. */
const maxTimeoutMs = 99_999_999;

/** A deadline in milliseconds; undefined if nothing was typed. @throws Error that says what is expected */
export function readDeadline(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const timeoutMs = Number(trimmed);
  if (/^\d+$/.test(trimmed) && timeoutMs > 0 && timeoutMs <= maxTimeoutMs) return timeoutMs;
  throw new Error(`Deadline: expected milliseconds from 1 to ${maxTimeoutMs}, found ${JSON.stringify(text)}`);
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
