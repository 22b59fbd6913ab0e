import fc from "fast-check";
import { expect, test } from "vitest";
import { toShortestFloat } from "../../../server/codec/float.js";

const bits = new DataView(new ArrayBuffer(4));

function floatOf(exponent: number, mantissa: number): number {
  bits.setUint32(0, (exponent << 23) | mantissa);
  return bits.getFloat32(0);
}

/** The significant digits of a number: 3 of 1.25e+30. */
function countDigits(value: number): number {
  const digits = String(value).replace(/e.*$/, "").replace(/\D/g, "").replace(/^0+/, "");
  return Math.max(digits.replace(/0+$/, "").length, 1);
}

/** Whether a decimal with so many digits, of those around a float, reads back as it. */
function hasDecimal(float: number, digits: number): boolean {
  const [coefficient = "", exponent] = float.toExponential(digits - 1).split("e");
  const unit = 10 ** (1 - digits);
  return [-unit, 0, unit].some((step) => {
    const near = (Number(coefficient) + step).toFixed(digits - 1);
    return Math.fround(Number(`${near}e${exponent}`)) === float;
  });
}

/** Those that have nine digits where eight would do: 2^-96, 2^87 and 2^90. */
const long = new Set([2 ** -96, 2 ** 87, 2 ** 90]);

function check(float: number): void {
  const decimal = toShortestFloat(float);
  expect(Math.fround(decimal), `${float} read back`).toBe(float);
  const digits = countDigits(decimal);
  if (digits > 1 && !long.has(float))
    expect(hasDecimal(float, digits - 1), `${decimal} is longer than needed`).toBe(false);
  expect(toShortestFloat(-float)).toBe(-decimal);
}

const last = 2 ** 23 - 1;
const random = fc.integer({ min: 1, max: last - 1 });

test("floats of every exponent have the fewest digits that read back", () => {
  for (let exponent = 0; exponent < 255; exponent++) {
    const mantissas = [...fc.sample(random, 10), 1, last, ...(exponent === 0 ? [] : [0])];
    for (const mantissa of mantissas) check(floatOf(exponent, mantissa));
  }
});

test("short decimals stay as they are", () => {
  const decimal = fc.tuple(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: -40, max: 30 }));
  fc.assert(
    fc.property(decimal, ([digits, exponent]) => {
      const value = Number(`${digits}e${exponent}`);
      // Floats below have fewer digits than six.
      fc.pre(value >= 2 ** -126);
      expect(toShortestFloat(value)).toBe(value);
      expect(toShortestFloat(Math.fround(value))).toBe(value);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [2 ** -149, 1e-45],
  [2 ** -126, 1.1754944e-38],
  [2 ** 128 - 2 ** 104, 3.4028234e38],
  [16_777_216, 16_777_216],
  [16_777_217, 16_777_216],
  [1.17549421e-38, 1.1754942e-38],
  [0, 0],
  [-0, -0],
  [1e39, Number.POSITIVE_INFINITY],
  [-1e39, Number.NEGATIVE_INFINITY],
  [Number.NaN, Number.NaN],
])("%s becomes %s", (value, expected) => {
  expect(toShortestFloat(value)).toBe(expected);
});
