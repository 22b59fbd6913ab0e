import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodePercent,
  decodeSegments,
  encodePercent,
  type KeptEncoded,
  normalizePercent,
} from "../../../server/rest/percent.js";

const decoded: [raw: string, text: string | undefined, reason: string][] = [
  ["", "", "nothing is nothing"],
  ["a+b", "a+b", "a plus is a plus"],
  ["a%2Fb%2fc", "a/b/c", "hex digits have no case"],
  ["%252F", "%2F", "once, not twice"],
  ["%E2%82%AC", "€", "UTF-8"],
  ["\u00e2\u0082\u00ac", "€", "UTF-8 that was sent unescaped, a character a byte"],
  ["\u00e2%82\u00ac", "€", "half of it escaped"],
  ["%", undefined, "no digits"],
  ["%4", undefined, "one digit"],
  ["%zz", undefined, "no hexadecimal digits"],
  ["%ff", undefined, "no UTF-8"],
  ["%c3", undefined, "UTF-8 that ends too early"],
  ["%c0%af", undefined, "UTF-8 that is longer than it must be"],
  ["%ed%a0%80", undefined, "a surrogate"],
  ["\u00ff", undefined, "an unescaped byte that is no UTF-8"],
  ["€", undefined, "a character that is no byte"],
  ["%00", undefined, "an escaped NUL"],
  ["\0", undefined, "a NUL"],
];

test.each(decoded)("%j is decoded to %j: %s", (raw, text) => {
  expect(decodePercent(raw)).toBe(text);
});

const reserved = "%21%23%24%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D";
const segments: [raw: string, kept: KeptEncoded, text: string][] = [
  ["a/b", "slash", "a/b"],
  ["a%2Fb%2fc/%41%25", "slash", "a%2Fb%2fc/A%"],
  [`${reserved}%20%41`, "slash", "!#$&'()*+,%2F:;=?@[] A"],
  [`${reserved}%20%41`, "reserved", `${reserved} A`],
  [`${reserved}%20%41`, "nothing", "!#$&'()*+,/:;=?@[] A"],
  ["%e2%82%ac%3a", "reserved", "€%3a"],
  ["%c3\u00a9/%2f", "slash", "é/%2f"],
  ["\u00c3\u00a9", "slash", "é"],
];

test.each(segments)("a variable of several segments, sent as %j and keeping %s, is %j", (raw, kept, text) => {
  expect(decodeSegments(raw, kept)).toBe(text);
});

const normalized: [raw: string, normal: string][] = [
  ["abc", "abc"],
  ["%61%7E%5f%2d%2e%30", "a~_-.0"],
  ["%2f%c3%A9", "%2F%C3%A9"],
  ["%40", "%40"],
  ["\u00c3\u00a9", "%C3%A9"],
  ["%2561", "%2561"],
];

test.each(normalized)("%j is compared as %j", (raw, normal) => {
  expect(normalizePercent(raw)).toBe(normal);
});

test("only unreserved characters stay unescaped", () => {
  const ascii = String.fromCharCode(...Array.from({ length: 127 }, (_, index) => index + 1));
  const plain = ascii.replace(/[^\w.~-]/g, "");
  expect(encodePercent(ascii)?.replace(/%[\dA-F]{2}/g, "")).toBe(plain);
});

test.each(["\0", "a\0b", "\ud800"])("%j is not encoded, because it could not be decoded", (text) => {
  expect(encodePercent(text)).toBeUndefined();
});

test("what is encoded is decoded to the same text", () => {
  const text = fc.string({ unit: "binary", maxLength: 30 }).filter((any) => !any.includes("\0"));
  fc.assert(
    fc.property(text, (any) => {
      expect(decodePercent(encodePercent(any) ?? "")).toBe(any);
    }),
  );
});
