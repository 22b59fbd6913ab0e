// The integer types of protobuf. Those of one range differ only in their binary form.
import { ScalarType } from "@bufbuild/protobuf";

/** One thing for each range of integers. */
export interface IntegerRanges<Thing> {
  readonly int32: Thing;
  readonly uint32: Thing;
  readonly int64: Thing;
  readonly uint64: Thing;
}

export type IntegerType = Exclude<
  ScalarType,
  ScalarType.BOOL | ScalarType.BYTES | ScalarType.DOUBLE | ScalarType.FLOAT | ScalarType.STRING
>;

/** Returns the thing of each integer type: that of its range. */
export function byIntegerType<Thing>({
  int32,
  uint32,
  int64,
  uint64,
}: IntegerRanges<Thing>): Readonly<Record<IntegerType, Thing>> {
  return {
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
  };
}
