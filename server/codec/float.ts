// Finds the shortest decimal of a 32-bit float: 0.1, not 0.10000000149011612, which is the same float as a 64-bit number.

/** The greatest float, and its digits: 3.4028235e+38 is nearer, but greater, which protobuf-es does not read. */
const greatestFloat = 2 ** 128 - 2 ** 104;
const greatestDecimal = 3.4028234e38;

/** Floats from here on are integers. */
const firstInteger = 2 ** 24;

/** Below this, and from `firstInteger` on, scaling by a power of ten is not exact enough. */
const leastScaled = 1e-5;

/** Below this, floats have fewer than six digits. */
const leastNormal = 2 ** -126;

/**
 * Rounds a number to a 32-bit float, and returns the number with the fewest decimal digits that reads back as that float.
 * A number that no float can hold becomes infinite. 2^-96, 2^87 and 2^90 get nine digits where eight would do.
 */
export function toShortestFloat(value: number): number {
  const float = Math.fround(value);
  if (!Number.isFinite(float)) return float;
  const size = Math.abs(float);
  if (size < firstInteger && Number.isInteger(float)) return float;
  const decimal = size >= leastScaled && size < firstInteger ? scaleFloat(size) : trimFloat(size);
  return float < 0 ? -decimal : decimal;
}

/** Tries one decimal place after the other. A quotient of integers is the number that its digits are read as. */
function scaleFloat(float: number): number {
  for (let scale = 10; scale <= 1e14; scale *= 10) {
    const decimal = Math.round(float * scale) / scale;
    if (Math.fround(decimal) === float) return decimal;
  }
  return trimFloat(float);
}

/** Tries one digit after the other. Nine are enough for every float, and a normal float keeps any six. */
function trimFloat(float: number): number {
  if (float === greatestFloat) return greatestDecimal;
  for (let digits = float < leastNormal ? 1 : 6; digits < 9; digits++) {
    const decimal = Number(float.toPrecision(digits));
    if (Math.fround(decimal) === float) return decimal;
  }
  return Number(float.toPrecision(9));
}
