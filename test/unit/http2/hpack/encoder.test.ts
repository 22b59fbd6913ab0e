import { describe, expect, test } from "vitest";
import { HpackDecoder } from "../../../../server/http2/hpack/decoder.js";
import { HpackEncoder, PreparedFields } from "../../../../server/http2/hpack/encoder.js";
import { createField } from "../../../../server/http2/hpack/field.js";
import { bytes, encode, fields, hex, noLimit } from "./support.js";

const responseHead = new PreparedFields(fields(":status: 200\ncontent-type: application/grpc"));
const trailers = new PreparedFields(fields("grpc-status: 0"));

/** Encodes the same fields several times on one connection. */
function encodeTimes(times: number, lines: string, encoder = new HpackEncoder()): string[] {
  return Array.from({ length: times }, () => hex(encode(encoder, fields(lines))));
}

describe("a field", () => {
  test.each<[title: string, lines: string, blocks: string[]]>([
    ["of the static table is an index", ":method: POST", ["83", "83"]],
    ["with a static name is indexed when it comes again", ":path: /a", ["04022f61", "44022f61", "be"]],
    ["with a new name is indexed at once", "x-a: b", ["4003782d61018f".replace("018f", "0162"), "be"]],
    ["with an empty value is indexed as others are", "x-a:", ["4003782d6100", "be"]],
    ["that is a secret is never indexed", "authorization: abc", Array(3).fill("1f0803616263")],
    ["that is a secret of a proxy is never indexed", "proxy-authorization: abc", Array(3).fill("1f2203616263")],
    ["that is a cookie is never indexed", "cookie: abc", Array(3).fill("1f1103616263")],
    ["that sets a cookie is never indexed", "set-cookie: abc", Array(3).fill("1f2803616263")],
    ["that is sensitive is never indexed", "[x-a]: b", Array(3).fill("1003782d610162")],
    ["that is sensitive is never indexed, also if a table has it", "[:method]: POST", ["1204504f5354", "1204504f5354"]],
    ["over 512 bytes is not indexed", `:path: ${"a".repeat(600)}`, Array(3).fill(`047fd903${"61".repeat(600)}`)],
  ])("%s", (_, lines, blocks) => {
    expect(encodeTimes(blocks.length, lines)).toEqual(blocks);
  });

  test("with a new value each time has its name indexed, and no value", () => {
    const encoder = new HpackEncoder();
    const blocks = ["1m", "2m", "3m"].map((timeout) => hex(encode(encoder, fields(`grpc-timeout: ${timeout}`))));
    expect(blocks).toEqual(["40899acac8b24d494f6a7f023 16d".replace(" ", ""), "0f2f02326d", "0f2f02336d"]);
  });

  test("is indexed when its value comes again, also if others came in between", () => {
    const encoder = new HpackEncoder();
    const send = (path: string) => encode(encoder, fields(`:path: ${path}`)).length;
    expect(["/a", "/bb", "/a", "/bb", "/a", "/bb"].map(send)).toEqual([4, 5, 4, 5, 1, 1]);
  });

  test("with a character over 0xff has a question mark in its place, and no line break", () => {
    for (const [text, sent] of [
      ["\u010a", "?"],
      ["a\u{1f600}", "a??"],
      [`${"é".repeat(70)}\u0d0a`, `${"é".repeat(70)}?`],
      [`${"e".repeat(70)}\u0d0a`, `${"e".repeat(70)}?`],
    ] as const) {
      const block = encode(new HpackEncoder(), [createField(":path", text), createField(`x-${text}`, text)]);
      const received = new HpackDecoder().decode(block, noLimit);
      expect(received?.map(({ name, value }) => [name, value])).toEqual([
        [":path", sent],
        [`x-${sent}`, sent],
      ]);
    }
  });
});

describe("prepared fields", () => {
  test("are indexed at once, and then are one byte each", () => {
    const encoder = new HpackEncoder();
    const blocks = Array.from({ length: 4 }, () => [
      hex(encode(encoder, responseHead)),
      hex(encode(encoder, trailers)),
    ]);
    expect(blocks).toEqual([
      ["885f8b1d75d0620d263d4c4d6564", "40889acac8b21234da8f0130"],
      ["88bf", "be"],
      ["88bf", "be"],
      ["88bf", "be"],
    ]);
  });

  test("are encoded anew once the table has changed", () => {
    const encoder = new HpackEncoder();
    for (let time = 0; time < 3; time++) encode(encoder, trailers);
    encode(encoder, fields("x-a: b"));
    expect(hex(encode(encoder, trailers))).toBe("bf");
    expect(hex(encode(encoder, trailers))).toBe("bf");
  });

  test("may be a part of a block", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    for (let time = 0; time < 4; time++) {
      const block = encode(encoder, responseHead, fields(`x-count: ${time}`), trailers);
      expect(decoder.decode(block, noLimit)).toEqual(
        fields(`:status: 200\ncontent-type: application/grpc\nx-count: ${time}\ngrpc-status: 0`),
      );
    }
  });

  test("are right however many there are", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const heads = Array.from({ length: 100 }, (_, index) => new PreparedFields(fields(`x-head: ${index}\nx-a: b`)));
    for (let index = 0; index < 1000; index++) {
      const head = heads[(index * 7 + (index >> 3)) % (index % 200 < 100 ? 5 : 100)] as PreparedFields;
      expect(decoder.decode(encode(encoder, head), noLimit)).toEqual(head.fields);
    }
  });

  test("have their secrets never indexed", () => {
    const head = new PreparedFields(fields("authorization: abc"));
    const encoder = new HpackEncoder();
    for (let time = 0; time < 4; time++) expect(hex(encode(encoder, head))).toBe("1f0803616263");
  });
});

describe("the peer's SETTINGS_HEADER_TABLE_SIZE", () => {
  /** Encodes `:method: GET` after the settings. */
  function afterSettings(sizes: readonly number[], encoder = new HpackEncoder()): string {
    for (const size of sizes) encoder.setMaxTableBytes(size);
    return hex(encode(encoder, fields(":method: GET")));
  }

  test.each<[title: string, sizes: number[], block: string]>([
    ["that is the default changes nothing", [4096], "82"],
    ["that is larger changes nothing", [1_000_000], "82"],
    ["that is smaller is confirmed", [100], "3f4582"],
    ["of 0 is confirmed", [0], "2082"],
    ["that was smaller for a while is confirmed with its smallest value", [1000, 100, 2000, 4096], "3f453fe11f82"],
    ["that was 0 for a while empties the table", [0, 4096], "203fe11f82"],
    ["that fell twice is confirmed once", [1000, 100], "3f4582"],
  ])("%s", (_, sizes, block) => {
    const encoder = new HpackEncoder();
    expect(afterSettings(sizes, encoder)).toBe(block);
    expect(afterSettings([], encoder)).toBe("82");
  });

  test("that rises from less is confirmed with what we use of it", () => {
    const encoder = new HpackEncoder();
    afterSettings([0], encoder);
    expect(afterSettings([100], encoder)).toBe("3f4582");
    expect(afterSettings([1_000_000], encoder)).toBe("3fe11f82");
  });

  test("that falls and rises to where the table is, is confirmed if it fell below it", () => {
    const encoder = new HpackEncoder();
    afterSettings([1000], encoder);
    expect(afterSettings([2000, 1000], encoder)).toBe("82");
    expect(afterSettings([500, 1000], encoder)).toBe("3fd5033fc90782");
  });

  test("of 0 has every field sent as a literal", () => {
    const encoder = new HpackEncoder();
    encoder.setMaxTableBytes(0);
    expect(hex(encode(encoder, responseHead))).toBe(`2088${hex(bytes("0f10 10"))}6170706c69636174696f6e2f67727063`);
    for (let time = 0; time < 3; time++) {
      expect(hex(encode(encoder, trailers))).toBe(`000b${Buffer.from("grpc-status").toString("hex")}0130`);
    }
  });

  test("of 0 after fields were indexed makes them literals", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    for (const size of [4096, 0, 4096, 40, 80]) {
      encoder.setMaxTableBytes(size);
      decoder.setMaxTableBytes(size);
      for (let time = 0; time < 3; time++) {
        expect(decoder.decode(encode(encoder, responseHead), noLimit)).toEqual(responseHead.fields);
        expect(decoder.decode(encode(encoder, trailers), noLimit)).toEqual(trailers.fields);
      }
    }
  });
});
