import { describe, expect, test } from "vitest";
import { formatFields, formatHead } from "../../../server/http1/response-head.js";

test("a head is its status line and its fields, but for those of the connection", () => {
  const fields = { "x-a": "1", "x-b": undefined, "set-cookie": ["c=1", "d=2"], "keep-alive": "timeout=5", n: 3 };
  expect(formatHead(200, "OK", { ...fields, "Transfer-Encoding": "gzip" })).toEqual({
    text: "HTTP/1.1 200 OK\r\nx-a: 1\r\nset-cookie: c=1\r\nset-cookie: d=2\r\nn: 3\r\n",
    hasDate: false,
    hasLength: false,
    closes: false,
  });
});

test("it knows a date, a length, and the end of the connection", () => {
  expect(formatHead(200, "OK", { Date: "x", "Content-Length": 5, Connection: "Close" })).toEqual({
    text: "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n",
    hasDate: true,
    hasLength: true,
    closes: true,
  });
  expect(formatHead(200, "OK", { connection: "keep-alive" }).closes).toBe(false);
});

describe("what would be another response is not sent", () => {
  test.each([
    ["a value with a line end", { a: "b\r\nc: d" }],
    ["a value with a line feed", { a: "b\nc: d" }],
    ["a value with NUL", { a: "\0" }],
    ["a value of characters over a byte", { a: "\u0100" }],
    ["one of several values", { a: ["b", "c\r\n"] }],
    ["a name with a line end", { "a\r\nb": "c" }],
    ["a name with a space", { "a b": "c" }],
    ["an empty name", { "": "c" }],
  ])("%s", (_, fields) => {
    expect(() => formatHead(200, "OK", fields)).toThrow(TypeError);
    expect(() => formatFields(fields)).toThrow(TypeError);
  });
});
