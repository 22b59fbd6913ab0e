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
  const time = new Date(Number(seconds) * 1000).toISOString();
  return `"${time.slice(0, -".000Z".length)}${printFraction(nanos)}Z"`;
}

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
