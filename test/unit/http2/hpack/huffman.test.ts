import { describe, expect, test } from "vitest";
import { decodeHuffman, encodeHuffman, huffmanLength, roomToDecode } from "../../../../server/http2/hpack/huffman.js";
import { huffmanCodes, huffmanLengths } from "../../../../server/http2/hpack/huffman-table.js";
import { hex } from "./support.js";

/** Returns the text that the bits, written as 0 and 1, decode to; undefined if they are refused. */
function decodeBits(bits: string): string | undefined {
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (octet) => Number.parseInt(octet, 2));
  const into = new Uint8Array(roomToDecode(bytes.length));
  const length = decodeHuffman(bytes, 0, bytes.length, into);
  return length < 0 ? undefined : Buffer.from(into.subarray(0, length)).toString("latin1");
}

function encode(text: string): Uint8Array {
  const into = new Uint8Array(huffmanLength(text));
  expect(encodeHuffman(text, into, 0)).toBe(into.length);
  return into;
}

const codeOf = (symbol: number) =>
  (huffmanCodes[symbol] as number).toString(2).padStart(huffmanLengths[symbol] as number, "0");
const everySymbol = Array.from({ length: 256 }, (_, symbol) => symbol);

describe("the code", () => {
  // Samples of appendix B: first and last of each group, and of the whole.
  test.each([
    [0x30, "00000"],
    [0x74, "01001"],
    [0x20, "010100"],
    [0x75, "101101"],
    [0x3a, "1011100"],
    [0x7a, "1111011"],
    [0x26, "11111000"],
    [0x5a, "11111101"],
    [0x21, "1111111000"],
    [0x00, "1111111111000"],
    [0x5c, "1111111111111110000"],
    [0xff, "11111111111111111111101110"],
    [0x0a, "111111111111111111111111111100"],
    [0x16, "111111111111111111111111111110"],
    [256, "111111111111111111111111111111"],
  ])("of %d is %s", (symbol, code) => {
    expect(codeOf(symbol)).toBe(code);
  });

  test("is complete: no bits have two meanings, and none have none", () => {
    const space = [...everySymbol, 256].reduce((sum, symbol) => sum + 2 ** -(huffmanLengths[symbol] as number), 0);
    expect(space).toBe(1);
  });
});

describe("a string", () => {
  test.each(everySymbol.map((symbol) => [symbol]))(
    "of the byte %d is written and read, with padding of ones",
    (symbol) => {
      for (const repeat of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const text = String.fromCharCode(symbol).repeat(repeat);
        const bits = codeOf(symbol).repeat(repeat);
        const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
        expect(hex(encode(text))).toBe(hex(Uint8Array.from(padded.match(/.{8}/g) ?? [], (o) => Number.parseInt(o, 2))));
        expect(decodeBits(padded)).toBe(text);
      }
    },
  );

  test("of all bytes, in every order of neighbours, is read", () => {
    for (let step = 1; step < 256; step += 2) {
      const text = String.fromCharCode(...everySymbol.map((symbol) => (symbol * step) & 0xff));
      const bytes = encode(text);
      const into = new Uint8Array(roomToDecode(bytes.length));
      expect(decodeHuffman(bytes, 0, bytes.length, into)).toBe(256);
      expect(Buffer.from(into.subarray(0, 256)).toString("latin1")).toBe(text);
    }
  });

  test("may not be padded with anything but the ones that are missing", () => {
    for (const symbol of everySymbol) {
      const code = codeOf(symbol);
      const missing = (8 - (code.length % 8)) % 8;
      expect(decodeBits(`${code}${"1".repeat(missing + 8)}`)).toBe(undefined);
      // Zeros in the padding may be the beginning of another symbol, and then are more text.
      for (let zero = 0; zero < missing; zero++) {
        const padding = `${"1".repeat(zero)}0`.padEnd(missing, "1");
        expect([undefined, 2]).toContain(decodeBits(code + padding)?.length);
      }
    }
  });

  test.each([
    ["alone", codeOf(256)],
    ["after others", codeOf(0x30) + codeOf(256)],
    ["before others", codeOf(256) + codeOf(0x30)],
  ])("may not have the end of string %s", (_, bits) => {
    expect(decodeBits(bits.padEnd(Math.ceil(bits.length / 8) * 8, "1"))).toBe(undefined);
  });

  test("that is empty has no bytes", () => {
    expect(decodeBits("")).toBe("");
    expect(encode("")).toHaveLength(0);
  });

  test("is padded with 7 ones at most", () => {
    expect(decodeBits("1111111".padStart(8, "1"))).toBe(undefined);
    expect(decodeBits("00000".repeat(5).padEnd(32, "1"))).toBe("00000");
  });
});
