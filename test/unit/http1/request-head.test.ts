import { describe, expect, test } from "vitest";
import { RequestError } from "../../../server/http1/errors.js";
import { readRequestHead } from "../../../server/http1/request-head.js";

const read = (...lines: string[]) => readRequestHead(Buffer.from(lines.join("\r\n"), "latin1"));

/** Status and message of the refusal. */
function refusal(...lines: string[]): string {
  try {
    read(...lines);
  } catch (error) {
    if (error instanceof RequestError) return `${error.status} ${error.message}`;
    throw error;
  }
  return "none";
}

describe("a head", () => {
  test("has its line, and names and values as they were sent", () => {
    const { method, target, isHttp10, rawHeaders } = read(
      "GET /a?b=c HTTP/1.1",
      "Host: x",
      "X-A:1",
      "E:",
      "T: \ta\tb \t",
    );
    expect({ method, target, isHttp10 }).toEqual({ method: "GET", target: "/a?b=c", isHttp10: false });
    expect(rawHeaders).toEqual(["Host", "x", "X-A", "1", "E", "", "T", "a\tb"]);
  });

  test.each([
    ["no body", [], 0],
    ["a length", ["Content-Length: 12"], 12],
    ["the largest length", ["content-length: 999999999999999"], 999_999_999_999_999],
    ["chunks", ["Transfer-Encoding: chunked"], Number.POSITIVE_INFINITY],
    ["chunks in capitals", ["TRANSFER-ENCODING: Chunked"], Number.POSITIVE_INFINITY],
  ])("tells the size of the body: %s", (_, lines, bytes) => {
    expect(read("POST / HTTP/1.1", ...lines).bodyBytes).toBe(bytes);
  });

  test.each([
    ["1.1", [], true],
    ["1.1", ["Connection: close"], false],
    ["1.1", ["Connection: x", "Connection: y , Close"], false],
    ["1.1", ["Connection: closed"], true],
    ["1.0", [], false],
    ["1.0", ["Connection: Keep-Alive"], true],
  ])("of HTTP/%s with %j keeps its connection: %s", (version, lines, keepsAlive) => {
    expect(read(`GET / HTTP/${version}`, ...lines).keepsAlive).toBe(keepsAlive);
  });

  test("of HTTP/1.0 expects nothing", () => {
    expect(read("POST / HTTP/1.1", "Expect: 100-Continue").expectation).toBe("100-continue");
    expect(read("POST / HTTP/1.0", "Expect: 100-continue").expectation).toBeUndefined();
  });

  test.each([
    [["GET /"], "400 request line: expected method, target and version"],
    [["GET  / HTTP/1.1"], "400 request line: expected method, target and version"],
    [[" GET / HTTP/1.1"], "400 request line: expected method, target and version"],
    [["GET / HTTP/1.1 "], "400 request line: expected method, target and version"],
    [["G(T / HTTP/1.1"], "400 request line: expected method, target and version"],
    [["GET /\u0000 HTTP/1.1"], "400 request line: expected method, target and version"],
    [["GET / HTTP/1.1\n"], "400 request line: expected method, target and version"],
    [["PRI * HTTP/2.0"], "400 request line: expected method, target and version"],
    [["GET / HTTP/2.0"], "505 version: expected HTTP/1.0 or HTTP/1.1"],
    [["CONNECT a:1 HTTP/1.1"], "405 CONNECT is not served"],
    [["GET / HTTP/1.1", "no colon"], "400 field line: expected a name and a colon"],
    [["GET / HTTP/1.1", "a : b"], "400 field line: expected a name and a colon"],
    [["GET / HTTP/1.1", " a: b"], "400 field line: expected a name and a colon"],
    [["GET / HTTP/1.1", "a: b", "\tfolded"], "400 field line: expected a name and a colon"],
    [["GET / HTTP/1.1", "a: b\u0000"], "400 a: invalid character"],
    [["GET / HTTP/1.1", "a: b\rc"], "400 a: invalid character"],
    [["GET / HTTP/1.1", "a: b\nc"], "400 a: invalid character"],
    [["GET / HTTP/1.1", "content-length: +1"], "400 content-length: expected a number"],
    [["GET / HTTP/1.1", "content-length: "], "400 content-length: expected a number"],
    [["GET / HTTP/1.1", "content-length: 1, 1"], "400 content-length: expected a number"],
    [["GET / HTTP/1.1", "content-length: 9999999999999999"], "400 content-length: expected a number"],
    [["GET / HTTP/1.1", "content-length: 1", "content-length: 1"], "400 content-length: more than one"],
    [
      ["GET / HTTP/1.1", "content-length: 1", "transfer-encoding: chunked"],
      "400 transfer-encoding: content-length as well",
    ],
    [["GET / HTTP/1.0", "transfer-encoding: chunked"], "400 transfer-encoding: not in HTTP/1.0"],
    [["GET / HTTP/1.1", "transfer-encoding: "], "400 transfer-encoding: expected chunked"],
    [["GET / HTTP/1.1", "transfer-encoding: xchunked"], "400 transfer-encoding: expected chunked"],
    [["GET / HTTP/1.1", "transfer-encoding: \u000bchunked"], "400 transfer-encoding: invalid character"],
    [["GET / HTTP/1.1", "transfer-encoding: chunked, gzip"], "400 transfer-encoding: expected chunked"],
    [
      ["GET / HTTP/1.1", "transfer-encoding: chunked", "transfer-encoding: chunked"],
      "400 transfer-encoding: expected chunked",
    ],
    [["GET / HTTP/1.1", "transfer-encoding: gzip, chunked"], "501 transfer-encoding: expected chunked alone"],
  ])("%j is refused: %s", (lines, expected) => {
    expect(refusal(...lines)).toBe(expected);
  });
});
