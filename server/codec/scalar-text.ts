// Turns text into scalar values: the numbers, texts and map keys of ProtoJSON, path variables and query parameters
// (https://protobuf.dev/programming-guides/json/).
import { ScalarType } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { byIntegerType } from "../schema/integer-types.js";

/** How values of one type are read from text. */
export interface TextForm<Value = unknown> {
  /** What the text must be, after "expected ". */
  readonly expected: string;
  /** Returns undefined for any other text. */
  readonly parse: (text: string) => Value | undefined;
}

/** Returns how a scalar type is read from text. 64-bit integers are `bigint`. */
export function scalarText(type: ScalarType): TextForm {
  return forms[type];
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** No integer of 64 bits has more digits. */
const maxDigits = 20;

/** Reads an integer exactly: `1e3` and `1.0` are integers, too. Takes linear time, however long the text is. */
function parseInteger(text: string): bigint | undefined {
  const match = decimal.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  let start = 0;
  let end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end--;
  while (start < end && digits[start] === "0") start++;
  if (start === end) return 0n;
  const zeros = Number(exponent) + whole.length - end;
  if (zeros < 0 || end - start + zeros > maxDigits) return undefined;
  return BigInt(sign + digits.slice(start, end) + "0".repeat(zeros));
}

function integer(least: bigint, greatest: bigint, convert: (value: bigint) => number | bigint): TextForm {
  return {
    expected: `an integer from ${least} to ${greatest}`,
    parse: (text) => {
      const value = parseInteger(text);
      return value === undefined || value < least || value > greatest ? undefined : convert(value);
    },
  };
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function float(limit: string, narrow: (value: number) => number): TextForm {
  return {
    expected: `a number from -${limit} to ${limit}, NaN, Infinity or -Infinity`,
    parse: (text) => {
      if (text === "NaN" || text === "Infinity" || text === "-Infinity") return Number(text);
      if (!jsonNumber.test(text)) return undefined;
      const value = narrow(Number(text));
      return Number.isFinite(value) ? value : undefined;
    },
  };
}

function parseBase64(text: string): Uint8Array | undefined {
  if (bufferMethods !== undefined && usualBase64.test(text) && text.length % 4 === 0) return decodeBase64(text);
  try {
    return base64Decode(text);
  } catch {
    return undefined;
  }
}

/** What is mostly sent: the usual alphabet, and padding. */
const usualBase64 = /^[A-Za-z\d+/]+={0,2}$/;

/** What Node has for base64, which takes a tenth of the time. */
interface BufferMethods {
  base64Write(this: Uint8Array, text: string, start: number, length: number): number;
}

const bufferMethods = (typeof Buffer === "undefined" ? undefined : Buffer.prototype) as BufferMethods | undefined;

function decodeBase64(text: string): Uint8Array {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  bufferMethods?.base64Write.call(bytes, text, 0, bytes.length);
  return bytes;
}

const int32 = integer(-(2n ** 31n), 2n ** 31n - 1n, Number);
const uint32 = integer(0n, 2n ** 32n - 1n, Number);
const int64 = integer(-(2n ** 63n), 2n ** 63n - 1n, (value) => value);
const uint64 = integer(0n, 2n ** 64n - 1n, (value) => value);

const forms: Readonly<Record<ScalarType, TextForm>> = {
  [ScalarType.DOUBLE]: float("1.7976931348623157e+308", (value) => value),
  [ScalarType.FLOAT]: float("3.4028235e+38", Math.fround),
  ...byIntegerType({ int32, uint32, int64, uint64 }),
  [ScalarType.BOOL]: {
    expected: "true or false",
    parse: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  },
  [ScalarType.STRING]: { expected: "a string", parse: (text) => text },
  [ScalarType.BYTES]: { expected: "base64", parse: parseBase64 },
};
