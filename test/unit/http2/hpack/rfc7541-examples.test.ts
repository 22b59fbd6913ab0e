// The examples of RFC 7541, appendix C.
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../../server/byte-writer.js";
import { BlockReader } from "../../../../server/http2/hpack/block-reader.js";
import { HpackDecoder } from "../../../../server/http2/hpack/decoder.js";
import { writeInteger } from "../../../../server/http2/hpack/integer.js";
import { bytes, fields, hex, noLimit, tableOf } from "./support.js";

describe("C.1: integers", () => {
  test.each([
    ["C.1.1", 10, 5, "0a"],
    ["C.1.2", 1337, 5, "1f9a0a"],
    ["C.1.3", 42, 8, "2a"],
  ])("%s: %d in a prefix of %d bits is %s", (_, value, prefixBits, encoded) => {
    const writer = new ByteWriter();
    writeInteger(writer, value, prefixBits, 0);
    expect(hex(writer.take())).toBe(encoded);
    expect(new BlockReader(bytes(encoded)).readInteger((1 << prefixBits) - 1)).toBe(value);
  });
});

interface Example {
  readonly title: string;
  readonly block: string;
  readonly fields: string;
  /** The dynamic table after it. */
  readonly table: string;
}

const c2: Example[] = [
  {
    title: "C.2.1",
    block: "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
    fields: "custom-key: custom-header",
    table: "custom-key: custom-header",
  },
  { title: "C.2.2", block: "040c 2f73 616d 706c 652f 7061 7468", fields: ":path: /sample/path", table: "" },
  {
    title: "C.2.3",
    block: "1008 7061 7373 776f 7264 0673 6563 7265 74",
    fields: "[password]: secret",
    table: "",
  },
  { title: "C.2.4", block: "82", fields: ":method: GET", table: "" },
];

const requests = [
  {
    fields: `
      :method: GET
      :scheme: http
      :path: /
      :authority: www.example.com`,
    table: ":authority: www.example.com",
  },
  {
    fields: `
      :method: GET
      :scheme: http
      :path: /
      :authority: www.example.com
      cache-control: no-cache`,
    table: `
      cache-control: no-cache
      :authority: www.example.com`,
  },
  {
    fields: `
      :method: GET
      :scheme: https
      :path: /index.html
      :authority: www.example.com
      custom-key: custom-value`,
    table: `
      custom-key: custom-value
      cache-control: no-cache
      :authority: www.example.com`,
  },
];

const responses = [
  {
    fields: `
      :status: 302
      cache-control: private
      date: Mon, 21 Oct 2013 20:13:21 GMT
      location: https://www.example.com`,
    table: `
      location: https://www.example.com
      date: Mon, 21 Oct 2013 20:13:21 GMT
      cache-control: private
      :status: 302`,
  },
  {
    fields: `
      :status: 307
      cache-control: private
      date: Mon, 21 Oct 2013 20:13:21 GMT
      location: https://www.example.com`,
    table: `
      :status: 307
      location: https://www.example.com
      date: Mon, 21 Oct 2013 20:13:21 GMT
      cache-control: private`,
  },
  {
    fields: `
      :status: 200
      cache-control: private
      date: Mon, 21 Oct 2013 20:13:22 GMT
      location: https://www.example.com
      content-encoding: gzip
      set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1`,
    table: `
      set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1
      content-encoding: gzip
      date: Mon, 21 Oct 2013 20:13:22 GMT`,
  },
];

const c3 = [
  "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
  "8286 84be 5808 6e6f 2d63 6163 6865",
  "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
];
const c4 = [
  "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
  "8286 84be 5886 a8eb 1064 9cbf",
  "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
];
const c5 = [
  `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
   3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
  "4803 3330 37c1 c0bf",
  `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
   7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
   6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
];
const c6 = [
  `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
   1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
  "4883 640e ffc1 c0bf",
  `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
   e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
];

function check(decoder: HpackDecoder, example: Example): void {
  const block = bytes(example.block.replace(/\s/g, ""));
  expect(decoder.decode(block, noLimit), example.title).toEqual(fields(example.fields));
  expect(tableOf(decoder), `${example.title}: dynamic table`).toEqual(fields(example.table));
}

test.each(c2)("$title: one field", (example) => {
  check(new HpackDecoder(), example);
});

describe("three blocks on one connection", () => {
  test.each([
    ["C.3", c3, requests, 4096],
    ["C.4, Huffman", c4, requests, 4096],
    ["C.5", c5, responses, 256],
    ["C.6, Huffman", c6, responses, 256],
  ])("%s", (title, blocks, expected, maxTableBytes) => {
    const decoder = new HpackDecoder();
    decoder.setMaxTableBytes(maxTableBytes);
    // The examples of responses have a smaller table, which a peer has to confirm.
    const confirm = (index: number) => (maxTableBytes < 4096 && index === 0 ? "3fe101" : "");
    for (const [index, { fields, table }] of expected.entries()) {
      check(decoder, { title: `${title}.${index + 1}`, block: `${confirm(index)}${blocks[index]}`, fields, table });
    }
  });
});
