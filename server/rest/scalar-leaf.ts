// Parses text as a scalar value: JSON of proto3 without the quotes
// (https://protobuf.dev/programming-guides/json/), narrowed to one spelling where JSON in a body has several.
import { ScalarType } from "@bufbuild/protobuf";
import { scalarText, type TextForm } from "../codec/scalar-text.js";

/** The text format of a scalar. */
export function scalarLeaf(type: ScalarType): TextForm {
  const { expected, parse } = scalarText(type);
  const isFit = fits[type] ?? isInteger;
  return {
    expected,
    parse: (text) => (isFit(text) ? parse(text) : undefined),
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

/** Decimal digits. Leading zeros never mean octal. */
function isInteger(text: string): boolean {
  return /^-?\d{1,32}$/.test(text);
}

/** Base64 in the standard or the URL alphabet, with or without padding. */
function isBase64(text: string): boolean {
  if (!/^[\w/+-]*={0,2}$/.test(text)) return false;
  return text.endsWith("=") ? text.length % 4 === 0 : text.length % 4 !== 1;
}
