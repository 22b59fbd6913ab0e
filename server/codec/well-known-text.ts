// Turns text into the well-known types whose JSON is a string (https://protobuf.dev/programming-guides/json/).
import type { DescEnum } from "@bufbuild/protobuf";
import type { Duration, FieldMask, Timestamp } from "@bufbuild/protobuf/wkt";
import type { TextForm } from "./scalar-text.js";

const time = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|[+-](\d\d):(\d\d))$/;
const firstMs = Date.parse("0001-01-01T00:00:00Z");
const lastMs = Date.parse("9999-12-31T23:59:59Z");

/** RFC 3339. Leap seconds and hour 24 do not exist, as for other readers of ProtoJSON. */
export const timestampText: TextForm<Timestamp> = {
  expected: "an RFC 3339 time, such as 2024-02-29T12:00:00Z",
  parse: (text) => {
    const match = time.exec(text);
    if (match === null || !isTime(match.slice(1).map(Number))) return undefined;
    const fraction = match[7] ?? "";
    const ms = Date.parse(fraction === "" ? text : text.replace(`.${fraction}`, ""));
    if (ms < firstMs || ms > lastMs) return undefined;
    const nanos = Number(fraction.padEnd(9, "0"));
    return { $typeName: "google.protobuf.Timestamp", seconds: BigInt(ms / 1000), nanos };
  },
};

/** Whether the parts are those of a time: Date.parse takes February 31 for a day of March. */
function isTime([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, , hours, minutes]: number[]): boolean {
  const isOffset = Number.isNaN(hours) || ((hours as number) < 24 && (minutes as number) < 60);
  return isOffset && day >= 1 && day <= daysOf(year, month) && hour < 24 && minute < 60 && second < 60;
}

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
