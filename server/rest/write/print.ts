// Prints the value of a field as the text of a path variable or a query parameter: JSON of proto3 without the quotes
// (https://protobuf.dev/programming-guides/json/). leaf.ts parses it to the same value.
import { type DescEnum, type DescField, ScalarType, toJson } from "@bufbuild/protobuf";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { toShortestFloat } from "../../codec/float.js";
import { attempt } from "../attempt.js";
import { isTextMessage } from "../fields.js";

/** Returns the text of a value that protobuf-es's reflection gave; undefined if it has none. */
export type Printer = (value: unknown) => string | undefined;

const printers = new WeakMap<DescField, Printer>();

/** The printer of a field's values; of its items, if it is a list. Undefined if they have no text. */
export function printerOf(field: DescField): Printer | undefined {
  if (field.fieldKind === "map") return undefined;
  const known = printers.get(field);
  if (known !== undefined) return known;
  const printer = createPrinter(field);
  if (printer !== undefined) printers.set(field, printer);
  return printer;
}

function createPrinter(field: Exclude<DescField, { fieldKind: "map" }>): Printer | undefined {
  if (field.scalar !== undefined) return scalarPrinter(field.scalar);
  if (field.enum !== undefined) return enumPrinter(field.enum);
  const { message: desc } = field;
  if (desc === undefined || !isTextMessage(desc)) return undefined;
  if (!isWrapperDesc(desc)) {
    return (value) => attempt(() => String(toJson(desc, (value as ReflectMessage).message)));
  }
  const [inner] = desc.fields;
  const print = scalarPrinter(inner.scalar);
  return (value) => print((value as ReflectMessage).get(inner));
}

function enumPrinter({ value: values }: DescEnum): Printer {
  return (value) => values[value as number]?.name ?? String(value);
}

/** Printed text parses to the same value. */
function scalarPrinter(type: ScalarType): Printer {
  if (type === ScalarType.BYTES) return (value) => base64Encode(value as Uint8Array, "url");
  if (type === ScalarType.FLOAT) return printFloat;
  return type === ScalarType.DOUBLE ? printDouble : String;
}

const printDouble: Printer = (value) => (Object.is(value, -0) ? "-0" : String(value));

function printFloat(value: unknown): string | undefined {
  const float = toShortestFloat(value as number);
  return Number.isFinite(value) && !Number.isFinite(float) ? undefined : printDouble(float);
}
