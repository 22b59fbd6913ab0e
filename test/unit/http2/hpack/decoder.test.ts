import { describe, expect, test } from "vitest";
import { HpackError } from "../../../../server/http2/hpack/block-reader.js";
import { HpackDecoder } from "../../../../server/http2/hpack/decoder.js";
import { bytes, fields, noLimit, tableOf } from "./support.js";

/** Inserts `a: b`. */
const insertAB = "40 01 61 01 62";

/** Decodes the blocks one after the other. Returns the fields of the last one. */
function decodeAll(blocks: readonly string[], decoder = new HpackDecoder(), maxListBytes = noLimit) {
  return blocks.map((block) => decoder.decode(bytes(block), maxListBytes)).at(-1);
}

/** Another string literal with this many bytes. */
function literal(length: number): string {
  const prefix = length < 127 ? [length] : [127, ((length - 127) & 0x7f) | 0x80, (length - 127) >> 7];
  return Buffer.concat([Buffer.from(prefix), Buffer.alloc(length, "x")]).toString("hex");
}

describe("a malformed block is refused", () => {
  test.each<[title: string, blocks: string[], error: string]>([
    ["index 0", ["80"], "byte 0: expected an index from 1 to 61, found 0"],
    ["an index after an empty table", ["82 be"], "byte 1: expected an index from 1 to 61, found 62"],
    ["an index after the table", [insertAB, "be bf"], "byte 1: expected an index from 1 to 62, found 63"],
    ["an index of several octets", ["82 ff 80 01"], "byte 1: expected an index from 1 to 61, found 255"],
    ["a name's index after the table", ["7f 00 01 62"], "byte 0: expected an index from 1 to 61, found 63"],
    ["an integer without its end", ["ff"], "byte 0: expected the rest of an integer, found the end of the block"],
    [
      "an integer that goes on at the end",
      ["ff 80 80"],
      "byte 0: expected the rest of an integer, found the end of the block",
    ],
    [
      "an integer over 32 bits",
      ["ff 81 ff ff ff 0f"],
      "byte 0: expected an integer up to 4294967295, found a larger or longer one",
    ],
    [
      "an integer of too many octets",
      ["ff 80 80 80 80 80 00"],
      "byte 0: expected an integer up to 4294967295, found a larger or longer one",
    ],
    ["a literal without a name", ["40"], "byte 1: expected a string, found the end of the block"],
    ["a literal without a value", ["40 01 61"], "byte 3: expected a string, found the end of the block"],
    ["an indexed name without a value", ["41"], "byte 1: expected a string, found the end of the block"],
    [
      "a name longer than the block",
      ["00 05 61 62"],
      "byte 1: expected a string of 5 bytes, found 2 up to the end of the block",
    ],
    [
      "a value longer than the block",
      ["10 01 61 03 61"],
      "byte 3: expected a string of 3 bytes, found 1 up to the end of the block",
    ],
    [
      "a length of 4 GiB",
      ["00 7f 80 ff ff ff 0f"],
      "byte 1: expected a string of 4294967295 bytes, found 0 up to the end of the block",
    ],
    [
      "Huffman padding of zeros",
      ["41 81 00"],
      "byte 2: expected a Huffman code padded with less than 8 ones, found another one",
    ],
    [
      "Huffman padding of 8 ones",
      ["41 86 00 00 00 00 00 ff"],
      "byte 2: expected a Huffman code padded with less than 8 ones, found another one",
    ],
    [
      "the end of string in the Huffman code",
      ["41 84 ff ff ff ff"],
      "byte 2: expected a Huffman code padded with less than 8 ones, found another one",
    ],
    ["a size update after a field", ["82 20"], "byte 1: expected a field, found a table size update"],
    ["three size updates", ["20 3f e1 1f 20 82"], "byte 4: expected a field, found a third table size update"],
    ["a size over the setting", ["3f e2 1f"], "byte 0: expected a table size up to 4096, found 4097"],
    ["a position in a later block", [insertAB, "82 84 c0"], "byte 2: expected an index from 1 to 62, found 64"],
  ])("%s", (_, blocks, error) => {
    const decode = () => decodeAll(blocks);
    expect(decode).toThrow(HpackError);
    expect(decode).toThrow(`header block, ${error}`);
  });

  test("from a position on", () => {
    const chunk = bytes("ffff 82 be ffff");
    expect(() => new HpackDecoder().decode(chunk, noLimit, 2, 4)).toThrow(
      "header block, byte 1: expected an index from 1 to 61, found 62",
    );
  });

  test("whose integer or string is truncated", () => {
    expect(() => new HpackDecoder().decode(bytes("ff 00"), noLimit, 0, 1)).toThrow(
      "byte 0: expected the rest of an integer",
    );
    expect(() => new HpackDecoder().decode(bytes("41 01 61"), noLimit, 0, 2)).toThrow(
      "byte 1: expected a string of 1 bytes",
    );
    expect(() => new HpackDecoder().decode(bytes("41 01 61"), noLimit, 0, 1)).toThrow(
      "byte 1: expected a string, found",
    );
  });
});

test.each<[title: string, blocks: string[], expected: [name: string, value: string][]]>([
  ["an empty block", [""], []],
  ["an empty name and value", ["00 00 00"], [["", ""]]],
  ["an integer longer than it has to be", ["0f 80 80 00 01 62"], [["accept-charset", "b"]]],
  ["an empty string in the Huffman code", ["41 80"], [[":authority", ""]]],
  ["padding of 7 ones", ["41 84 00 00 00 7f"], [[":authority", "00000"]]],
  ["bytes over 0x7f", ["41 03 80 9f ff"], [[":authority", "\x80\x9f\xff"]]],
  ["a size update alone", ["20"], []],
  ["two size updates", ["20 3f e1 1f 82"], [[":method", "GET"]]],
  ["a name out of the table", [insertAB, "7e 01 63"], [["a", "c"]]],
  [
    "a name out of the table that its own entry evicts",
    ["3f 03", insertAB, "7e 01 63 be"],
    [
      ["a", "c"],
      ["a", "c"],
    ],
  ],
])("%s is read", (_, blocks, expected) => {
  expect(decodeAll(blocks)?.map(({ name, value }) => [name, value])).toEqual(expected);
});

describe("the dynamic table", () => {
  test("gives the same field each time, and so does the static one", () => {
    const decoder = new HpackDecoder();
    const [inserted] = decodeAll([insertAB], decoder) ?? [];
    const [first, second] = decodeAll(["be be"], decoder) ?? [];
    expect(first).toBe(inserted);
    expect(second).toBe(inserted);
    expect(decodeAll(["82"])?.[0]).toBe(decodeAll(["40 01 61 01 62 82"])?.[1]);
  });

  test.each<[title: string, blocks: string[], expected: string]>([
    ["drops the oldest entry for a new one", ["3f 25", insertAB, "40 01 61 01 63"], "a: c\na: b"],
    ["drops as many as have to go", ["3f 25", insertAB, "40 01 61 01 63", `40 01 64 ${literal(5)}`], "d: xxxxx"],
    ["is emptied by an entry larger than itself", [insertAB, `40 01 61 ${literal(4096 - 32)}`], ""],
    ["holds an entry of its own size", [insertAB, `40 01 61 ${literal(4096 - 33)}`], `a: ${"x".repeat(4096 - 33)}`],
    ["is emptied by a size of 0", [insertAB, "20"], ""],
    ["drops what no longer fits", [insertAB, "40 01 61 01 63", "3f 03"], "a: c"],
    ["drops what did not fit for a while", [insertAB, "20 3f e1 1f"], ""],
    ["takes nothing that is not to be indexed", ["00 01 61 01 62", "10 01 61 01 62"], ""],
  ])("%s", (_, blocks, expected) => {
    const decoder = new HpackDecoder();
    decodeAll(blocks, decoder);
    expect(tableOf(decoder)).toEqual(fields(expected));
  });

  test("holds as many entries as fit", () => {
    const decoder = new HpackDecoder();
    decodeAll(Array(200).fill(insertAB), decoder);
    expect(tableOf(decoder)).toHaveLength(Math.floor(4096 / 34));
  });
});

describe("our SETTINGS_HEADER_TABLE_SIZE", () => {
  const update = (size: number) => (size < 31 ? [0x20 | size] : [0x3f, ((size - 31) & 0x7f) | 0x80, (size - 31) >> 7]);
  const block = (...sizes: number[]) => Uint8Array.from([...sizes.flatMap(update), 0x82]);

  test("if smaller, makes the next block begin with a size update", () => {
    const decoder = new HpackDecoder();
    decoder.setMaxTableBytes(100);
    expect(() => decoder.decode(block(), noLimit)).toThrow(
      "header block, byte 0: expected a table size update to at most 100, found none",
    );
    expect(() => decoder.decode(block(101), noLimit)).toThrow("byte 0: expected a table size up to 100, found 101");
    expect(decoder.decode(block(100), noLimit)).toHaveLength(1);
    expect(decoder.decode(block(), noLimit)).toHaveLength(1);
  });

  test("if smaller for a while, makes the next block begin with an update to the smallest size", () => {
    const decoder = new HpackDecoder();
    for (const bytes of [2000, 100, 3000]) decoder.setMaxTableBytes(bytes);
    expect(() => decoder.decode(block(3000), noLimit)).toThrow("byte 0: expected a table size up to 100, found 3000");
    expect(() => decoder.decode(block(100, 3001), noLimit)).toThrow(
      "byte 3: expected a table size up to 3000, found 3001",
    );
  });

  test("if smaller than before but not than the table, asks for nothing", () => {
    const decoder = new HpackDecoder();
    decoder.decode(block(100), noLimit);
    decoder.setMaxTableBytes(200);
    expect(decoder.decode(block(), noLimit)).toHaveLength(1);
  });

  test("if larger, is what the peer may resize the table to, and does not resize it", () => {
    const decoder = new HpackDecoder(8000);
    decoder.decode(bytes(`${insertAB} 40 01 61 ${literal(4096 - 32)}`), noLimit);
    expect(tableOf(decoder)).toEqual([]);
    decoder.decode(block(8000), noLimit);
    decoder.decode(bytes(`${insertAB} 40 01 61 ${literal(4096 - 32)}`), noLimit);
    expect(tableOf(decoder)).toHaveLength(2);
    expect(() => decoder.decode(block(8001), noLimit)).toThrow("expected a table size up to 8000, found 8001");
  });

  test("if smaller than 4,096 from the beginning, counts once it is acknowledged", () => {
    const decoder = new HpackDecoder(0);
    decoder.decode(bytes(insertAB), noLimit);
    expect(tableOf(decoder)).toHaveLength(1);
    decoder.setMaxTableBytes(0);
    expect(decoder.decode(block(0), noLimit)).toHaveLength(1);
    expect(tableOf(decoder)).toHaveLength(0);
  });
});

describe("a list over its size", () => {
  test.each<[title: string, block: string, listBytes: number]>([
    ["of an indexed field", "82", 7 + 3 + 32],
    ["of a literal", "00 01 61 01 62", 34],
    ["of a Huffman code", "00 81 1f 81 1f", 34],
    ["of an indexed literal", insertAB, 34],
    ["of a field that is never indexed", "10 01 61 01 62", 34],
    ["of several fields", `82 84 ${insertAB} be`, 42 + 38 + 34 + 34],
    ["of a long value", `00 01 61 ${literal(300)}`, 333],
    ["of an empty field", "00 00 00", 32],
  ])("%s is found at its last byte", (_, block, listBytes) => {
    expect(new HpackDecoder().decode(bytes(block), listBytes)).not.toBe(undefined);
    expect(new HpackDecoder().decode(bytes(block), listBytes - 1)).toBe(undefined);
  });

  test("keeps the tables equal", () => {
    const decoder = new HpackDecoder();
    const block = bytes(`82 ${insertAB} 40 01 63 01 64 00 01 65 01 66 41 ${literal(100)}`);
    expect(decoder.decode(block, 50)).toBe(undefined);
    expect(tableOf(decoder)).toEqual(fields(`:authority: ${"x".repeat(100)}\nc: d\na: b`));
  });

  test("keeps the tables equal if an entry is too large for both", () => {
    const decoder = new HpackDecoder();
    decoder.decode(bytes(insertAB), noLimit);
    expect(decoder.decode(bytes(`be 40 ${literal(5000)} 01 62 ${insertAB}`), 50)).toBe(undefined);
    expect(tableOf(decoder)).toEqual(fields("a: b"));
    expect(decoder.decode(bytes(`be 40 01 62 ${literal(5000)}`), 50)).toBe(undefined);
    expect(tableOf(decoder)).toEqual([]);
  });

  test("is still read to its end, where an error may be", () => {
    expect(() => new HpackDecoder().decode(bytes("82 82 00 01 61 81 00"), 10)).toThrow(
      "byte 6: expected a Huffman code",
    );
    expect(() => new HpackDecoder().decode(bytes("82 82 00 81 00 01 61"), 10)).toThrow(
      "byte 4: expected a Huffman code",
    );
  });

  test("takes no memory, however often it refers to a large entry", () => {
    const decoder = new HpackDecoder();
    decoder.decode(bytes(`40 01 61 ${literal(4000)}`), noLimit);
    const bomb = new Uint8Array(1_000_000).fill(0xbe);
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 3; round++) expect(decoder.decode(bomb, 16_384)).toBe(undefined);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(1_000_000);
    expect(decoder.decode(bomb.subarray(0, 4), 16_384)).toHaveLength(4);
    expect(decoder.decode(bomb.subarray(0, 5), 16_384)).toBe(undefined);
  });
});

describe("a block that comes again", () => {
  test("gives the same list from the third time on", () => {
    const decoder = new HpackDecoder();
    decoder.decode(bytes(insertAB), noLimit);
    const [, second, third, fourth] = [1, 2, 3, 4].map(() => decoder.decode(bytes("82 be 00 01 63 01 64"), noLimit));
    expect(third).toBe(second);
    expect(fourth).toBe(second);
    expect(second).toEqual(fields(":method: GET\na: b\nc: d"));
  });

  test("gives another list once the table has changed", () => {
    const decoder = new HpackDecoder();
    decoder.decode(bytes(insertAB), noLimit);
    for (let time = 0; time < 3; time++) expect(decoder.decode(bytes("be"), noLimit)).toEqual(fields("a: b"));
    decoder.decode(bytes("40 01 63 01 64"), noLimit);
    for (let time = 0; time < 3; time++) expect(decoder.decode(bytes("be"), noLimit)).toEqual(fields("c: d"));
    decoder.decode(bytes("20"), noLimit);
    expect(() => decoder.decode(bytes("be"), noLimit)).toThrow("expected an index from 1 to 61, found 62");
  });

  test("is over the size of a smaller list all the same", () => {
    const decoder = new HpackDecoder();
    for (let time = 0; time < 3; time++) expect(decoder.decode(bytes("82 84"), 80)).toHaveLength(2);
    expect(decoder.decode(bytes("82 84"), 79)).toBe(undefined);
    expect(decoder.decode(bytes("82 84"), 80)).toHaveLength(2);
  });

  test("does not pass by a size update that has to come", () => {
    const decoder = new HpackDecoder();
    for (let time = 0; time < 3; time++) decoder.decode(bytes("82"), noLimit);
    decoder.setMaxTableBytes(0);
    expect(() => decoder.decode(bytes("82"), noLimit)).toThrow("expected a table size update to at most 0, found none");
  });

  test("is distinct, however many there are", () => {
    const decoder = new HpackDecoder();
    for (let round = 0; round < 5; round++) {
      for (let value = 0; value < 100; value++) {
        const block = Uint8Array.of(0, 1, 0x61, 1, 0x20 + value);
        expect(decoder.decode(block, noLimit)?.[0]?.value).toBe(String.fromCharCode(0x20 + value));
      }
    }
  });

  test("does not keep the bytes that it came in", () => {
    const decoder = new HpackDecoder();
    const chunk = bytes("82 00 01 61 01 62");
    for (let time = 0; time < 3; time++) decoder.decode(chunk, noLimit);
    chunk.fill(0x84);
    expect(decoder.decode(chunk, noLimit)).toEqual(fields(Array(6).fill(":path: /").join("\n")));
    expect(decoder.decode(bytes("82 00 01 61 01 62"), noLimit)).toEqual(fields(":method: GET\na: b"));
  });
});
