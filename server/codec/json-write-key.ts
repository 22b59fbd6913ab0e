// Writes the keys of maps: in messages they are names of properties, whatever their type, and in JSON they are text.
import { ScalarType } from "@bufbuild/protobuf";
import { byIntegerType, type IntegerType } from "../schema/integer-types.js";
import { putAscii } from "./json-output.js";
import { refuse } from "./json-write-error.js";
import { type ValueWriter, writeString } from "./json-write-scalar.js";

/** Keys are written as they are. Another spelling of a key could be the key of another entry. */
const keyWriter =
  (expected: string, isKey: (key: string) => boolean): ValueWriter =>
  (key) => {
    if (!isKey(key as string)) refuse(expected, key);
    putAscii(`"${key}"`);
  };

const isDecimal = (key: string) => /^-?\d{1,20}$/.test(key);

const int32 = keyWriter("an int32 as key", (key) => String(Number(key) | 0) === key);
const uint32 = keyWriter("a uint32 as key", (key) => String(Number(key) >>> 0) === key);
const int64 = keyWriter("an int64 as key", (key) => isDecimal(key) && `${BigInt.asIntN(64, BigInt(key))}` === key);
const uint64 = keyWriter("a uint64 as key", (key) => isDecimal(key) && `${BigInt.asUintN(64, BigInt(key))}` === key);

/** Types that keys can have. */
type KeyType = IntegerType | ScalarType.BOOL | ScalarType.STRING;

/** How the keys of each type are written. */
export const keyWriters: Readonly<Record<KeyType, ValueWriter>> = {
  [ScalarType.STRING]: writeString,
  [ScalarType.BOOL]: keyWriter("true or false as key", (key) => key === "true" || key === "false"),
  ...byIntegerType({ int32, uint32, int64, uint64 }),
};
