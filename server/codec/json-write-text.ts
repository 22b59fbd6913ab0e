// Writes the well-known types whose JSON is text (https://protobuf.dev/programming-guides/json/).
import { protoCamelCase, protoSnakeCase } from "@bufbuild/protobuf/reflect";
import type { Duration, FieldMask, Timestamp } from "@bufbuild/protobuf/wkt";
import { JsonWriteError, mismatch, refuse, within } from "./json-write-error.js";
import { writeString } from "./json-write-scalar.js";

/** The writers of these types, by name. */
export const textWriters: Readonly<Record<string, (message: never) => string>> = {
  "google.protobuf.Timestamp": writeTimestamp,
  "google.protobuf.Duration": writeDuration,
  "google.protobuf.FieldMask": writeFieldMask,
};

const firstSecond = BigInt(Date.parse("0001-01-01T00:00:00Z") / 1000);
const lastSecond = BigInt(Date.parse("9999-12-31T23:59:59Z") / 1000);
const maxDurationSeconds = 315_576_000_000n;
const maxNanos = 999_999_999;

function writeTimestamp({ seconds, nanos }: Timestamp): string {
  checkSeconds(seconds, firstSecond, lastSecond);
  checkNanos(nanos, 0);
  const time = Number(seconds);
  const day = Math.floor(time / secondsPerDay);
  const second = time - day * secondsPerDay;
  const clock = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
  return `"${printDay(day)}T${clock}${printFraction(nanos)}Z"`;
}

const secondsPerDay = 86_400;

const pairs = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, "0"));

/** Two digits. */
function two(number: number): string {
  return pairs[number] as string;
}

/**
 * The date of a day after 1970-01-01, in a tenth of the time of `Date`. Years begin in March here, so that the day that some
 * of them have is the last one (https://howardhinnant.github.io/date_algorithms.html#civil_from_days).
 */
function printDay(day: number): string {
  const shifted = day + daysTo1970;
  const era = Math.floor(shifted / daysOfEra);
  const dayOfEra = shifted - era * daysOfEra;
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - 365 * yearOfEra - Math.floor(yearOfEra / 4) + Math.floor(yearOfEra / 100);
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const date = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  return `${two(Math.floor(year / 100))}${two(year % 100)}-${two(month)}-${two(date)}`;
}

/** From 0000-03-01 to 1970-01-01. */
const daysTo1970 = 719_468;
/** 400 years. */
const daysOfEra = 146_097;

function writeDuration({ seconds, nanos }: Duration): string {
  checkSeconds(seconds, -maxDurationSeconds, maxDurationSeconds);
  checkNanos(nanos, -maxNanos);
  if ((seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0)) {
    throw new JsonWriteError("", `expected seconds and nanos of one sign, found ${seconds} and ${nanos}`);
  }
  const sign = seconds === 0n && nanos < 0 ? "-" : "";
  return `"${sign}${seconds}${printFraction(Math.abs(nanos))}s"`;
}

function checkSeconds(seconds: unknown, least: bigint, greatest: bigint): void {
  if (typeof seconds === "bigint" && seconds >= least && seconds <= greatest) return;
  throw within("seconds", mismatch(`an integer from ${least} to ${greatest}`, seconds));
}

function checkNanos(nanos: unknown, least: number): void {
  if (Number.isInteger(nanos) && (nanos as number) >= least && (nanos as number) <= maxNanos) return;
  throw within("nanos", mismatch(`an integer from ${least} to ${maxNanos}`, nanos));
}

/** Three, six or nine decimals with their point, or nothing. */
function printFraction(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  return `.${digits.replace(/(?:000){1,2}$/, "")}`;
}

function writeFieldMask({ paths }: FieldMask): string {
  if (!Array.isArray(paths)) refuse("a list of paths", paths);
  return writeString(paths.map(toCamelCase).join(","));
}

function toCamelCase(path: unknown, index: number): string {
  const camelCase = typeof path === "string" ? protoCamelCase(path) : "";
  if (protoSnakeCase(camelCase) === path) return camelCase;
  throw within(`paths[${index}]`, mismatch("a path in snake_case that has a camelCase form", path));
}
