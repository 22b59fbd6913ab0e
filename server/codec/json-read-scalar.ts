// Reads scalar and enum values from JSON (https://protobuf.dev/programming-guides/json/).
import { type DescEnum, type DescField, ScalarType } from "@bufbuild/protobuf";
import { byIntegerType } from "../schema/integer-types.js";
import { bytesCost } from "./element-limit.js";
import { isLongAsString, nullValue } from "./json-facts.js";
import {
  isNumberNext,
  peek,
  readNumberText,
  readQuotedInteger,
  readSharedText,
  readShortInteger,
  readShortNumber,
  readText,
  signs,
  takeBool,
  takeNull,
} from "./json-input.js";
import { readShortBase64 } from "./json-read-base64.js";
import { rejectNumber, rejectText, rejectValue } from "./json-read-skip.js";
import { spend, state } from "./json-read-state.js";
import { toInt64 } from "./safe-number.js";
import { scalarText, type TextForm } from "./scalar-text.js";
import { expectedOfEnum } from "./well-known-text.js";

/** Reads the next value. @throws Fault */
export type ValueReader = (depth: number) => unknown;

/** Returned for an enum value that is passed over: its name is unknown. */
export const ignored: unique symbol = Symbol("ignored");

/** Returns the reader of a scalar field, as messages have it. */
export function scalarReader(field: DescField & { scalar: ScalarType }): ValueReader {
  const read = readers[field.scalar];
  return isLongAsString(field) ? () => String(read(0)) : read;
}

/** Returns the reader of a scalar type. */
export function scalarTypeReader(type: ScalarType): ValueReader {
  return readers[type];
}

/** Reads a value that is a JSON string. */
export function textReader({ expected, parse }: TextForm): ValueReader {
  return () => {
    if (peek() !== signs.quote) return rejectValue(expected);
    const text = readText();
    return parse(text) ?? rejectText(expected, text);
  };
}

/** Reads a number, or a string that has a number. */
function readNumeric({ expected, parse }: TextForm): unknown {
  if (peek() === signs.quote) {
    const text = readText();
    return parse(text) ?? rejectText(expected, text);
  }
  if (!isNumberNext()) return rejectValue(expected);
  const text = readNumberText();
  return parse(text) ?? rejectNumber(expected, text);
}

const yes = () => true;
const isInt32 = (value: number) => (value | 0) === value;
const isUint32 = (value: number) => value >>> 0 === value;

/** Most integers are short. Adding 0 makes 0 of -0. */
const int32Reader = (type: ScalarType, isFit: (value: number) => boolean): ValueReader => {
  const form = scalarText(type);
  return () => {
    const value = readShortInteger();
    if (isFit(value)) return value + 0;
    return Number.isNaN(value) ? readNumeric(form) : rejectNumber(form.expected, value);
  };
};

/** 64-bit integers are mostly strings. Those of at most 15 digits need no string to be made. */
const int64Reader = (type: ScalarType, isFit: (value: number) => boolean): ValueReader => {
  const form = scalarText(type);
  return () => {
    const value = peek() === signs.quote ? readQuotedInteger() : readShortInteger();
    if (isFit(value)) return toInt64(value);
    return Number.isNaN(value) ? readNumeric(form) : rejectNumber(form.expected, value);
  };
};

const floatReader = (type: ScalarType, narrow: (value: number) => number): ValueReader => {
  const form = scalarText(type);
  return () => {
    const value = readShortNumber();
    if (!Number.isNaN(value)) return narrow(value);
    return isNumberNext() ? readFloat(form.expected, narrow) : readNumeric(form);
  };
};

function readFloat(expected: string, narrow: (value: number) => number): number {
  const text = readNumberText();
  const value = narrow(Number(text));
  return Number.isFinite(value) ? value : rejectNumber(expected, text);
}

const isLong = (value: number) => !Number.isNaN(value);
const isUnsignedLong = (value: number) => value >= 0;

const int32 = int32Reader(ScalarType.INT32, isInt32);
const uint32 = int32Reader(ScalarType.UINT32, isUint32);
const int64 = int64Reader(ScalarType.INT64, isLong);
const uint64 = int64Reader(ScalarType.UINT64, isUnsignedLong);
const strings = scalarText(ScalarType.STRING);
const bools = scalarText(ScalarType.BOOL);

const readBytes = textReader(scalarText(ScalarType.BYTES));

const readers: Readonly<Record<ScalarType, ValueReader>> = {
  [ScalarType.STRING]: () => (peek() === signs.quote ? readText() : rejectValue(strings.expected)),
  [ScalarType.BYTES]: (depth) => {
    spend(bytesCost);
    return readShortBase64() ?? readBytes(depth);
  },
  [ScalarType.BOOL]: () => takeBool() ?? rejectValue(bools.expected),
  ...byIntegerType({ int32, uint32, int64, uint64 }),
  [ScalarType.DOUBLE]: floatReader(ScalarType.DOUBLE, (value) => value),
  [ScalarType.FLOAT]: floatReader(ScalarType.FLOAT, Math.fround),
};

/** Returns the reader of an enum: names and numbers, of a closed enum only those that it has. */
export function enumReader(desc: DescEnum): ValueReader {
  const numbers = new Map(desc.values.map(({ name, number }) => [name, number]));
  const known = new Set(numbers.values());
  const isKnown = desc.open ? yes : (value: number) => known.has(value);
  const expected = expectedOfEnum(desc);
  const form = scalarText(ScalarType.INT32);
  const isNullable = desc.typeName === nullValue;
  const readNumber = (): number => {
    const text = readNumberText();
    const value = form.parse(text) as number | undefined;
    return value !== undefined && isKnown(value) ? value : rejectNumber(expected, text);
  };
  return () => {
    if (peek() === signs.quote) {
      const name = readSharedText();
      return numbers.get(name) ?? (state.settings.ignoreUnknownFields ? ignored : rejectText(expected, name));
    }
    if (isNumberNext()) return readNumber();
    return isNullable && takeNull() ? 0 : rejectValue(expected);
  };
}
