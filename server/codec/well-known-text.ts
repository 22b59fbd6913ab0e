// Turns text into the well-known types whose JSON is a string (https://protobuf.dev/programming-guides/json/).
import type { DescEnum } from "@bufbuild/protobuf";
import type { Duration, FieldMask, Timestamp } from "@bufbuild/protobuf/wkt";
import { toInt64 } from "./safe-number.js";
import type { TextForm } from "./scalar-text.js";

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const firstSecond = Date.parse("0001-01-01T00:00:00Z") / 1000;
const lastSecond = Date.parse("9999-12-31T23:59:59Z") / 1000;

/** RFC 3339. Leap seconds and hour 24 do not exist, as for other readers of ProtoJSON. */
export const timestampText: TextForm<Timestamp> = {
  expected: "an RFC 3339 time, such as 2024-02-29T12:00:00Z",
  parse: (text) => {
    if (!time.test(text)) return undefined;
    const clock = secondOf(digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19));
    const isUtc = text.endsWith("Z");
    const zone = isUtc ? 0 : secondOf(digits(text, text.length - 5, text.length - 3), digits(text, text.length - 2), 0);
    const east = text.at(-6) === "+" ? 1 : -1;
    const nanos = text[19] === "." ? Number(text.slice(20, isUtc ? -1 : -6).padEnd(9, "0")) : 0;
    return timestampOf(dayOf(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)), clock - east * zone, nanos);
  },
};

/** @returns undefined if there is no such time */
export function timestampOf(day: number, second: number, nanos: number): Timestamp | undefined {
  const seconds = day * 86_400 + second;
  if (!(seconds >= firstSecond && seconds <= lastSecond)) return undefined;
  return { $typeName: "google.protobuf.Timestamp", seconds: toInt64(seconds), nanos };
}

/** The number that some of the characters are, which are digits. */
function digits(text: string, start: number, end = text.length): number {
  let number = 0;
  for (let index = start; index < end; index++) number = number * 10 + text.charCodeAt(index) - 0x30;
  return number;
}

/** The seconds from the beginning of a day; NaN if there is no such time. */
export function secondOf(hour: number, minute: number, second: number): number {
  return hour < 24 && minute < 60 && second < 60 ? hour * 3600 + minute * 60 + second : Number.NaN;
}

/**
 * The days from 1970-01-01; NaN if there is no such day. Years begin in March here, so that the day that some of them have is
 * the last one (https://howardhinnant.github.io/date_algorithms.html#days_from_civil).
 */
export function dayOf(year: number, month: number, date: number): number {
  if (date < 1 || date > daysOf(year, month)) return Number.NaN;
  const shiftedYear = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + date - 1;
  const leapDays = Math.floor(shiftedYear / 4) - Math.floor(shiftedYear / 100) + Math.floor(shiftedYear / 400);
  return shiftedYear * 365 + leapDays + dayOfYear - daysTo1970;
}

/** From 0000-03-01 to 1970-01-01. */
const daysTo1970 = 719_468;

function daysOf(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const seconds = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/;
const maxSeconds = 315_576_000_000;

export const durationText: TextForm<Duration> = {
  expected: 'seconds with at most nine decimals and "s", such as 1.5s',
  parse: (text) => {
    const match = seconds.exec(text);
    if (match === null || Number(match[2]) > maxSeconds) return undefined;
    const [, minus, whole = "", fraction = ""] = match;
    const sign = minus === "" ? 1 : -1;
    // Adding 0 makes -0 of -0.
    const nanos = sign * Number(fraction.padEnd(9, "0")) + 0;
    return { $typeName: "google.protobuf.Duration", seconds: BigInt(sign * Number(whole)), nanos };
  },
};

/** Names in camel case, as in JSON. */
export const fieldMaskText: TextForm<FieldMask> = {
  expected: "comma-separated field paths in lowerCamelCase",
  parse: (text) => {
    if (text.includes("_")) return undefined;
    return { $typeName: "google.protobuf.FieldMask", paths: text === "" ? [] : toSnakeCase(text).split(",") };
  },
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Spells field paths as in the proto. Works on bytes: a callback for each of a million capitals takes too long. */
export function toSnakeCase(text: string): string {
  if (!/[A-Z]/.test(text)) return text;
  const source = encoder.encode(text);
  const target = new Uint8Array(source.length * 2);
  let length = 0;
  for (const byte of source) {
    const isCapital = byte >= 0x41 && byte <= 0x5a;
    if (isCapital) target[length++] = 0x5f;
    target[length++] = isCapital ? byte | 0x20 : byte;
  }
  return decoder.decode(target.subarray(0, length));
}

/** What the values of an enumeration are, after "expected ". */
export function expectedOfEnum(desc: DescEnum): string {
  return `a name of ${desc.typeName} or its number`;
}
