import { describe, expect, test } from "vitest";
import { createBodyReader } from "../../../server/http1/body-reader.js";
import { RequestError } from "../../../server/http1/errors.js";
import { Input } from "../../../server/http1/input.js";

/** Reads a body that comes in parts. What follows it is left over. */
function read(bodyBytes: number, parts: readonly string[]): { body: string; isEnded: boolean; rest: string } {
  const reader = createBodyReader(bodyBytes, 50);
  const input = new Input();
  let body = "";
  for (const part of parts) {
    if (part !== "") input.append(Buffer.from(part, "latin1"));
    for (let piece = reader.next(input); piece !== undefined; piece = reader.next(input))
      body += piece.toString("latin1");
  }
  return { body, isEnded: reader.isEnded, rest: input.text(0, input.length) };
}

const chunks = (...parts: string[]) => read(Number.POSITIVE_INFINITY, parts);

test("a body of a known length ends with its last byte", () => {
  expect(read(5, ["he", "llo", "GET"])).toEqual({ body: "hello", isEnded: true, rest: "GET" });
  expect(read(5, ["hell"])).toEqual({ body: "hell", isEnded: false, rest: "" });
  expect(read(0, ["GET"])).toEqual({ body: "", isEnded: true, rest: "GET" });
});

describe("a body in chunks", () => {
  const whole = "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX: y\r\n\r\nGET";

  test("is the data of its chunks, wherever the bytes are cut", () => {
    for (let cut = 0; cut <= whole.length; cut++) {
      const found = chunks(whole.slice(0, cut), whole.slice(cut));
      expect(found, `cut at ${cut}`).toEqual({ body: "hello world", isEnded: true, rest: "GET" });
    }
    expect(chunks(...whole)).toMatchObject({ body: "hello world", isEnded: true });
  });

  test.each([
    ["x\r\n", "400 chunk: expected a size in hexadecimal digits"],
    ["\r\n", "400 chunk: expected a size in hexadecimal digits"],
    ["-5\r\n", "400 chunk: expected a size in hexadecimal digits"],
    ["0x5\r\n", "400 chunk: expected a size in hexadecimal digits"],
    ["5 \r\n", "400 chunk: expected a size in hexadecimal digits"],
    ["5\n", "400 chunk: expected carriage return and line feed"],
    ["1000000000000\r\n", "400 chunk: expected a size in hexadecimal digits"],
    ["5;a\u0000\r\n", "400 chunk: expected a size in hexadecimal digits"],
    ["5;\r\n", "400 chunk: malformed extension"],
    ["5;a b\r\n", "400 chunk: malformed extension"],
    ['5;a="b" \r\n', "400 chunk: malformed extension"],
    ['5;a="b\r\n', "400 chunk: malformed extension"],
    ['5;a="b\\" c";d=e;f\r\nhello\r\n0\r\n\r\n', "none"],
    ["5\r\nhelloo\r\n", "400 chunk: expected the end of a line within 0 bytes"],
    ["5\r\nhello\n\n", "400 chunk: expected carriage return and line feed"],
    [`5;${"a".repeat(17_000)}`, "413 chunk: expected the end of a line within 16384 bytes"],
    [`1;${"a".repeat(9000)}\r\nx\r\n1;${"a".repeat(9000)}\r\n`, "413 chunk: too many extensions"],
    ["0\r\nno colon\r\n", "400 field line: expected a name and a colon"],
    [`0\r\nX: ${"y".repeat(60)}`, "431 chunk: expected the end of a line within 50 bytes"],
    [`0\r\n${`X: ${"y".repeat(20)}\r\n`.repeat(3)}`, "431 trailers: too large"],
  ])("%j is refused: %s", (bytes, expected) => {
    const refused = (): string => {
      try {
        chunks(bytes);
      } catch (error) {
        if (error instanceof RequestError) return `${error.status} ${error.message}`;
        throw error;
      }
      return "none";
    };
    expect(refused()).toBe(expected);
  });
});
