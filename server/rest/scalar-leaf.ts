// Turns text into a scalar value and back: JSON of proto3 without the quotes
// (https://protobuf.dev/programming-guides/json/), narrowed to one spelling where JSON in a body has several.
import { ScalarType } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { toShortestFloat } from "../codec/float.js";
import { scalarText, type TextForm } from "../codec/scalar-text.js";

/** The text format of one type. */
export interface Leaf extends TextForm {
  /** The text of a value that protobuf-es's reflection gave; undefined if it has none. */
  readonly print: (value: unknown) => string | undefined;
}

/** The text format of a scalar. Printed text parses to the same value. */
export function scalarLeaf(type: ScalarType): Leaf {
  const { expected, parse } = scalarText(type);
  const isFit = fits[type] ?? isInteger;
  return {
    expected,
    parse: (text) => (isFit(text) ? parse(text) : undefined),
    print: printers[type] ?? String,
  };
}

const isAny = () => true;

const fits: Partial<Record<ScalarType, (text: string) => boolean>> = {
  [ScalarType.DOUBLE]: isAny,
  [ScalarType.FLOAT]: isAny,
  [ScalarType.BOOL]: isAny,
  [ScalarType.STRING]: isAny,
  [ScalarType.BYTES]: isBase64,
};

const printDouble = (value: unknown) => (Object.is(value, -0) ? "-0" : String(value));

function printFloat(value: unknown): string | undefined {
  const float = toShortestFloat(value as number);
  return Number.isFinite(value) && !Number.isFinite(float) ? undefined : printDouble(float);
}

const printers: Partial<Record<ScalarType, Leaf["print"]>> = {
  [ScalarType.DOUBLE]: printDouble,
  [ScalarType.FLOAT]: printFloat,
  [ScalarType.BYTES]: (value) => base64Encode(value as Uint8Array, "url"),
};

/** Decimal digits. Leading zeros never mean octal. */
function isInteger(text: string): boolean {
  return /^-?\d{1,32}$/.test(text);
}

/** Base64 in the standard or the URL alphabet, with or without padding. */
function isBase64(text: string): boolean {
  if (!/^[\w/+-]*={0,2}$/.test(text)) return false;
  return text.endsWith("=") ? text.length % 4 === 0 : text.length % 4 !== 1;
}
