// Turns text into a scalar value and back: JSON of proto3 without the quotes
// (https://protobuf.dev/programming-guides/json/), narrowed to one spelling where JSON in a body has several.
import { ScalarType } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";

/** How values of one type are written as text. */
export interface Leaf {
  /** What the text must be, after "expected ". */
  readonly expected: string;
  /** The value as protobuf-es's reflection takes it; undefined if the text is none. */
  parse(text: string): unknown;
  /** The text of a value that protobuf-es's reflection gave; undefined if it has none. */
  print(value: unknown): string | undefined;
}

/** How a scalar is written as text: what is printed parses to the same value. */
export function scalarLeaf(type: ScalarType): Leaf {
  return leaves[type];
}

const int32 = integer(-(2n ** 31n), 2n ** 31n - 1n, Number);
const uint32 = integer(0n, 2n ** 32n - 1n, Number);
const int64 = integer(-(2n ** 63n), 2n ** 63n - 1n, (value) => value);
const uint64 = integer(0n, 2n ** 64n - 1n, (value) => value);

const bool: Leaf = {
  expected: "true or false",
  parse: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  print: String,
};

const string: Leaf = {
  expected: "text",
  parse: (text) => text,
  print: String,
};

const bytes: Leaf = {
  expected: "base64",
  parse: (text) => (isBase64(text) ? base64Decode(text) : undefined),
  print: (value) => base64Encode(value as Uint8Array, "url"),
};

const leaves: Readonly<Record<ScalarType, Leaf>> = {
  [ScalarType.DOUBLE]: float(Number.MAX_VALUE),
  [ScalarType.FLOAT]: float(3.4028234663852886e38),
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
  [ScalarType.BOOL]: bool,
  [ScalarType.STRING]: string,
  [ScalarType.BYTES]: bytes,
};

/** Decimal digits. Leading zeros are digits like others, and never mean octal. */
function integer(least: bigint, greatest: bigint, convert: (value: bigint) => number | bigint): Leaf {
  return {
    expected: `an integer from ${least} to ${greatest}`,
    parse: (text) => {
      if (!/^-?\d{1,32}$/.test(text)) return undefined;
      const value = BigInt(text);
      return value < least || value > greatest ? undefined : convert(value);
    },
    print: String,
  };
}

function float(greatest: number): Leaf {
  return {
    expected: "a number, NaN, Infinity or -Infinity",
    parse: (text) => {
      if (/^(?:NaN|-?Infinity)$/.test(text)) return Number(text);
      if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)) return undefined;
      const value = Number(text);
      return Math.abs(value) > greatest ? undefined : value;
    },
    print: (value) => (Object.is(value, -0) ? "-0" : String(value)),
  };
}

/** The standard or the URL alphabet, with all of its padding or with none. */
function isBase64(text: string): boolean {
  if (!/^[\w/+-]*={0,2}$/.test(text)) return false;
  return text.endsWith("=") ? text.length % 4 === 0 : text.length % 4 !== 1;
}
