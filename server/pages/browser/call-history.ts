// The calls that were made in this tab, newest first.
import type { SavedCall } from "./link.js";

/** A finished call. */
export interface HistoryEntry extends SavedCall {
  readonly isOk: boolean;
  readonly status: string;
  readonly durationMs: number;
}

const maxEntries = 50;
/** A longer request is not kept: storage of a tab holds some MB. */
const maxRequestLength = 50_000;

/** The entries with a new one. The same call again takes the place of the one before. */
export function addEntry(entries: readonly HistoryEntry[], entry: HistoryEntry): HistoryEntry[] {
  if (entry.request.length > maxRequestLength) return [...entries];
  const others = entries.filter((other) => !isSameCall(other, entry));
  return [entry, ...others].slice(0, maxEntries);
}

function isSameCall(one: SavedCall, other: SavedCall): boolean {
  const names = ["method", "protocol", "route", "deadline", "request"] as const;
  return names.every((name) => one[name] === other[name]);
}

/** Entries as they were kept; none if the text is not valid. */
export function parseEntries(text: string | undefined): HistoryEntry[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(value) ? value.filter(isEntry) : [];
  } catch {
    // Another version of the page has kept something else.
    return [];
  }
}

function isEntry(value: unknown): value is HistoryEntry {
  const entry: Partial<Record<keyof HistoryEntry, unknown>> = Object(value);
  const texts = [entry.method, entry.protocol, entry.deadline, entry.request, entry.status];
  const isWhole = texts.every((text) => typeof text === "string") && typeof entry.isOk === "boolean";
  return isWhole && typeof entry.route === "number" && typeof entry.durationMs === "number";
}
