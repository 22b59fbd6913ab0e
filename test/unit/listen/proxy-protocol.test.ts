import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c, ProxyHeaderError, parseProxyHeader } from "../../../server/listen/proxy-protocol.js";
import { proxyHeader2 } from "../../support/proxy-header.js";

const bytesOf = (text: string) => Buffer.from(text, "latin1");
const ip4 = "cb007109 0a000001 c738 01bb";
const ip6 = `${"20010db8".padEnd(31, "0")}1 ${"fd".padEnd(31, "0")}1 c738 01bb`;

/** An extension: type, length and value in hex. */
const tlv = (type: string, value: string) => type + (value.length / 2).toString(16).padStart(4, "0") + value;

function withChecksum(spoil = 0): Buffer {
  const header = proxyHeader2(0x21, 0x11, ip4 + tlv("04", "0000") + tlv("03", "00000000"));
  header.writeUInt32BE((crc32c(header) ^ spoil) >>> 0, header.length - 4);
  return header;
}

const headers: [what: string, header: Buffer, source: string | undefined][] = [
  ["TCP4", bytesOf("PROXY TCP4 203.0.113.9 10.0.0.1 51000 443\r\n"), "203.0.113.9"],
  ["TCP6", bytesOf("PROXY TCP6 2001:DB8:0:0::1 fd00::1 51000 443\r\n"), "2001:db8::1"],
  ["IPv4 in TCP6", bytesOf("PROXY TCP6 ::ffff:203.0.113.9 ::ffff:10.0.0.1 0 65535\r\n"), "203.0.113.9"],
  ["UNKNOWN", bytesOf("PROXY UNKNOWN\r\n"), undefined],
  ["UNKNOWN with addresses", bytesOf("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), undefined],
  ["the longest line", bytesOf(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`), undefined],
  ["IPv4", proxyHeader2(0x21, 0x11, ip4), "203.0.113.9"],
  ["IPv6", proxyHeader2(0x21, 0x21, ip6), "2001:db8::1"],
  ["IPv4 in IPv6", proxyHeader2(0x21, 0x21, `${"0".repeat(20)}ffffcb007109${"0".repeat(40)}`), "203.0.113.9"],
  ["a Unix socket", proxyHeader2(0x21, 0x31, "00".repeat(216)), undefined],
  ["no family", proxyHeader2(0x21, 0x00, ""), undefined],
  ["no family, with bytes that are none of extensions", proxyHeader2(0x20, 0x00, "ff"), undefined],
  ["IPv4 of no transport", proxyHeader2(0x21, 0x10, ip4), "203.0.113.9"],
  ["the proxy itself", proxyHeader2(0x20, 0x00, ""), undefined],
  ["the proxy itself, with an address that does not count", proxyHeader2(0x20, 0x11, ip4), undefined],
  ["extensions", proxyHeader2(0x21, 0x11, ip4 + tlv("ea", "01aabb") + tlv("04", "")), "203.0.113.9"],
  ["a checksum", withChecksum(), "203.0.113.9"],
  ["4,096 bytes", proxyHeader2(0x21, 0x11, ip4 + tlv("04", "00".repeat(4096 - 16 - 12 - 3))), "203.0.113.9"],
];

const wrong: [what: string, bytes: Buffer, message: string][] = [
  ["a request of HTTP/1.1", bytesOf("GET / HTTP/1.1\r\n\r\n"), "expected one, found other bytes"],
  ["the preface of HTTP/2", bytesOf("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "expected one, found other bytes"],
  ["TLS", bytesOf("\x16\x03\x01"), "expected one, found other bytes"],
  ["small letters", bytesOf("proxy "), "expected one, found other bytes"],
  ["a broken signature", bytesOf("\r\n\r\n\0\r\nQUIX"), "expected one, found other bytes"],
  ...[
    "PROXY TCP4  203.0.113.9 10.0.0.1 1 2",
    "PROXY TCP4 203.0.113.9 10.0.0.1 1",
    "PROXY TCP4 203.0.113.9 10.0.0.1 1 2 ",
    "PROXY TCP4 203.0.113.9 10.0.0.1 1 +2",
    "PROXY TCP4 203.0.113.9\n10.0.0.1 1 2",
    "PROXY UDP4 203.0.113.9 10.0.0.1 1 2",
    "PROXY UNKNOWNX",
    "PROXY ",
    "PROXY UNKNOWN \r",
  ].map((line): [string, Buffer, string] => [JSON.stringify(line), bytesOf(`${line}\r\n`), "malformed line"]),
  ...[
    "PROXY TCP4 203.0.113.256 10.0.0.1 1 2",
    "PROXY TCP4 203.0.113.09 10.0.0.1 1 2",
    "PROXY TCP4 2001:db8::1 fd00::1 1 2",
    "PROXY TCP6 203.0.113.9 10.0.0.1 1 2",
    "PROXY TCP6 fe80::1%eth0 fd00::1 1 2",
    "PROXY TCP4 203.0.113.9 10.0.0.1 65536 2",
    "PROXY TCP4 203.0.113.9 10.0.0.1 1 02",
  ].map((line): [string, Buffer, string] => [JSON.stringify(line), bytesOf(`${line}\r\n`), "malformed address"]),
  ["a line that is too long", bytesOf(`PROXY UNKNOWN ${"x".repeat(93)}`), "expected CR LF in 107 bytes"],
  ["version 1 in binary", proxyHeader2(0x11, 0x11, ip4), "unknown version or command 0x11"],
  ["an unknown command", proxyHeader2(0x22, 0x11, ip4), "unknown version or command 0x22"],
  ["an unknown family", proxyHeader2(0x21, 0x41, ip4), "unknown family or transport 0x41"],
  ["datagrams", proxyHeader2(0x21, 0x12, ip4), "unknown family or transport 0x12"],
  ["half of an address", proxyHeader2(0x21, 0x21, ip4), "incomplete address"],
  ["half of an extension", proxyHeader2(0x21, 0x11, `${ip4}0400`), "incomplete extension"],
  ["an extension that is too long", proxyHeader2(0x21, 0x11, `${ip4}04000201`), "incomplete extension"],
  ["a wrong checksum", withChecksum(1), "wrong checksum"],
  ["a checksum of two bytes", proxyHeader2(0x21, 0x11, ip4 + tlv("03", "0000")), "wrong checksum"],
  [
    "a header that is too long",
    proxyHeader2(0x21, 0x11, "00".repeat(5000)).subarray(0, 16),
    "expected at most 4096 bytes, found 5016",
  ],
];

describe("a PROXY header", () => {
  test.each(headers)("of %s names the client", (_, header, source) => {
    expect(parseProxyHeader(header)).toEqual({ bytes: header.length, source });
  });

  test.each(headers)(
    "of %s ends where the bytes of the client begin, and is not complete before",
    (_, header, source) => {
      const whole = { bytes: header.length, source };
      for (const rest of ["GET / HTTP/1.1\r\n", "PROXY TCP4", "\r\n"]) {
        expect(parseProxyHeader(Buffer.concat([header, bytesOf(rest)]))).toEqual(whole);
      }
      for (let end = 0; end < header.length; end++) expect(parseProxyHeader(header.subarray(0, end))).toBeUndefined();
    },
  );

  test.each(wrong)("is refused: %s", (_, bytes, message) => {
    expect(() => parseProxyHeader(bytes)).toThrow(new ProxyHeaderError(message));
  });

  test("is refused as soon as bytes cannot become one", () => {
    for (const [text, at] of [
      ["GET /", 1],
      ["PRI *", 3],
      ["\r\nGET", 3],
    ] as const) {
      expect(parseProxyHeader(bytesOf(text).subarray(0, at - 1))).toBeUndefined();
      expect(() => parseProxyHeader(bytesOf(text).subarray(0, at))).toThrow(ProxyHeaderError);
    }
    expect(() => parseProxyHeader(proxyHeader2(0x30, 0, "").subarray(0, 13))).toThrow(ProxyHeaderError);
    expect(() => parseProxyHeader(proxyHeader2(0x21, 0x99, "").subarray(0, 14))).toThrow(ProxyHeaderError);
  });

  test("that is changed anywhere is read, incomplete or refused, and never anything else", () => {
    const change = fc.record({
      header: fc.constantFrom(...headers.map(([, header]) => header)),
      at: fc.nat(),
      byte: fc.oneof(fc.constantFrom(...bytesOf("PROXY TCP46UNKNOWN \r\n\0:.0129af\x20\x21\x11")), fc.nat(255)),
      end: fc.nat(),
    });
    fc.assert(
      fc.property(change, ({ header, at, byte, end }) => {
        const bytes = Buffer.from(header);
        bytes[at % bytes.length] = byte;
        const cut = bytes.subarray(0, end % (bytes.length + 1));
        try {
          const found = parseProxyHeader(cut);
          if (found !== undefined) expect(found.bytes).toBeLessThanOrEqual(cut.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ProxyHeaderError);
          // What follows does not change that.
          expect(() => parseProxyHeader(bytes)).toThrow(ProxyHeaderError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

test("CRC-32C is that of RFC 3720", () => {
  expect(crc32c(new Uint8Array(32)).toString(16)).toBe("8a9136aa");
  expect(crc32c(bytesOf("123456789")).toString(16)).toBe("e3069283");
});
