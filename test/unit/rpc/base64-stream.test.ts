import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Base64Decoder, encodeBase64 } from "../../../server/rpc/base64-stream.js";
import { cut, cuts } from "../../support/cuts.js";

function decodeAll(chunks: readonly Buffer[]): Buffer {
  const decoder = new Base64Decoder();
  const bytes = Buffer.concat(chunks.map((chunk) => decoder.decode(chunk)));
  decoder.end();
  return bytes;
}

const none: [text: string, reason: string][] = [
  ["AA?=", "a stranger"],
  ["AA-_", "the other alphabet"],
  ["A===", "three of padding"],
  ["=AAA", "padding before data"],
  ["AAA=A===", "a text of one character"],
  ["AA=A", "data inside padding"],
  ["AAAA\r\nBBBB", "line breaks"],
  ["AA==AA=A", "data inside the padding of a second text"],
];

describe("base64 in chunks", () => {
  test("is decoded to the same bytes however it is split", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 }), cuts, (pieces, places) => {
        const row = Buffer.concat(pieces.map((piece) => Buffer.from(Buffer.from(piece).toString("base64"))));
        expect(decodeAll(cut(row, places))).toEqual(Buffer.concat(pieces));
      }),
    );
  });

  test("is rejected if it is invalid", () => {
    for (const [text, reason] of none) {
      const decode = () => decodeAll([Buffer.from(text)]);
      expect(decode, reason).toThrow(ConnectError);
      expect(decode, reason).toThrow("[invalid_argument] protocol error: request body is not base64");
    }
  });

  test("is incomplete inside a group of four characters", () => {
    for (const text of ["A", "AA", "AAA", "AAAAB"]) {
      const error = catchError(() => decodeAll([Buffer.from(text)]));
      expect([error.code, error.rawMessage]).toEqual([Code.InvalidArgument, "protocol error: incomplete base64 body"]);
    }
  });

  test("is decoded as far as it has come", () => {
    const decoder = new Base64Decoder();
    expect(decoder.decode(Buffer.from("YWJj")).toString()).toBe("abc");
    expect(decoder.decode(Buffer.from("ZGV")).toString()).toBe("");
    expect(decoder.decode(Buffer.from("mZ2")).toString()).toBe("def");
    expect(decoder.decode(Buffer.from("g=")).toString()).toBe("gh");
    decoder.end();
  });

  test("is encoded as one text with its padding", () => {
    expect(encodeBase64(Buffer.from("abcd")).toString()).toBe("YWJjZA==");
    expect(encodeBase64(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)).toString()).toBe("AgM=");
    expect(encodeBase64(new Uint8Array()).toString()).toBe("");
  });
});

function catchError(run: () => unknown): ConnectError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConnectError) return error;
  }
  throw new Error("expected a ConnectError");
}
