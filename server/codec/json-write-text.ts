// Writes the well-known types whose JSON is text (https://protobuf.dev/programming-guides/json/).
import { protoCamelCase, protoSnakeCase } from "@bufbuild/protobuf/reflect";
import type { Duration, FieldMask, Timestamp } from "@bufbuild/protobuf/wkt";
import { putCharacter, putInteger, putPadded } from "./json-output.js";
import { JsonWriteError, mismatch, refuse, within } from "./json-write-error.js";
import { writeString } from "./json-write-scalar.js";
import { toSafeNumber } from "./safe-number.js";

/** The writers of these types, by name. */
export const textWriters: Readonly<Record<string, (message: never) => void>> = {
  "google.protobuf.Timestamp": writeTimestamp,
  "google.protobuf.Duration": writeDuration,
  "google.protobuf.FieldMask": writeFieldMask,
};

const firstSecond = Date.parse("0001-01-01T00:00:00Z") / 1000;
const lastSecond = Date.parse("9999-12-31T23:59:59Z") / 1000;
const maxDurationSeconds = 315_576_000_000;
const maxNanos = 999_999_999;

const quote = 0x22;
const minus = 0x2d;
const dot = 0x2e;
const colon = 0x3a;
const letterT = 0x54;
const letterZ = 0x5a;
const letterS = 0x73;

function writeTimestamp({ seconds, nanos }: Timestamp): void {
  const time = toSeconds(seconds, firstSecond, lastSecond);
  checkNanos(nanos, 0);
  const day = Math.floor(time / secondsPerDay);
  const second = time - day * secondsPerDay;
  putCharacter(quote);
  putDay(day);
  putCharacter(letterT);
  putPadded(second / 3600, 2);
  putCharacter(colon);
  putPadded((second / 60) % 60, 2);
  putCharacter(colon);
  putPadded(second % 60, 2);
  putFraction(nanos);
  putCharacter(letterZ);
  putCharacter(quote);
}

const secondsPerDay = 86_400;

/**
 * The date of a day after 1970-01-01, in a tenth of the time of `Date`. Years begin in March here, so that the day that some
 * of them have is the last one (https://howardhinnant.github.io/date_algorithms.html#civil_from_days).
 */
function putDay(day: number): void {
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
  putPadded(year, 4);
  putCharacter(minus);
  putPadded(month, 2);
  putCharacter(minus);
  putPadded(date, 2);
}

/** From 0000-03-01 to 1970-01-01. */
const daysTo1970 = 719_468;
/** 400 years. */
const daysOfEra = 146_097;

function writeDuration({ seconds, nanos }: Duration): void {
  const whole = toSeconds(seconds, -maxDurationSeconds, maxDurationSeconds);
  checkNanos(nanos, -maxNanos);
  if ((whole > 0 && nanos < 0) || (whole < 0 && nanos > 0)) {
    throw new JsonWriteError("", `expected seconds and nanos of one sign, found ${seconds} and ${nanos}`);
  }
  putCharacter(quote);
  if (whole < 0 || nanos < 0) putCharacter(minus);
  putInteger(Math.abs(whole));
  putFraction(Math.abs(nanos));
  putCharacter(letterS);
  putCharacter(quote);
}

function toSeconds(seconds: unknown, least: number, greatest: number): number {
  const number = typeof seconds === "bigint" ? toSafeNumber(seconds) : undefined;
  if (number !== undefined && number >= least && number <= greatest) return number;
  throw within("seconds", mismatch(`an integer from ${least} to ${greatest}`, seconds));
}

function checkNanos(nanos: unknown, least: number): void {
  if (Number.isInteger(nanos) && (nanos as number) >= least && (nanos as number) <= maxNanos) return;
  throw within("nanos", mismatch(`an integer from ${least} to ${maxNanos}`, nanos));
}

/** Writes three, six or nine decimals with their point, or nothing. */
function putFraction(nanos: number): void {
  if (nanos === 0) return;
  putCharacter(dot);
  if (nanos % 1000 !== 0) putPadded(nanos, 9);
  else if (nanos % 1_000_000 !== 0) putPadded(nanos / 1000, 6);
  else putPadded(nanos / 1_000_000, 3);
}

function writeFieldMask({ paths }: FieldMask): void {
  if (!Array.isArray(paths)) refuse("a list of paths", paths);
  writeString(paths.map(toCamelCase).join(","));
}

function toCamelCase(path: unknown, index: number): string {
  const camelCase = typeof path === "string" ? protoCamelCase(path) : "";
  if (protoSnakeCase(camelCase) === path) return camelCase;
  throw within(`paths[${index}]`, mismatch("a path in snake_case that has a camelCase form", path));
}
