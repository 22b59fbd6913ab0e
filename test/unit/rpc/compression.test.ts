import { Code } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { createNegotiator } from "../../../server/rpc/compression.js";

type Names = [request: string | undefined, response: string | undefined];

const settled: [requested: string | undefined, accepted: string | undefined, expected: Names, reason: string][] = [
  [undefined, undefined, [undefined, undefined], "neither is named"],
  ["gzip", undefined, ["gzip", "gzip"], "who sends it can read it"],
  ["gzip", "br", ["gzip", "br"], "each direction has its own"],
  ["gzip", "deflate", ["gzip", undefined], "nothing that is accepted is known"],
  ["identity", "gzip", [undefined, "gzip"], "identity is none"],
  [undefined, "br, gzip", [undefined, "br"], "the first that is known"],
  [undefined, "zstd,gzip", [undefined, "gzip"], "the first that is known, without spaces"],
  [undefined, "", [undefined, undefined], "nothing is accepted"],
];

describe("compression", () => {
  const negotiate = createNegotiator([compressionGzip, compressionBrotli], "Grpc-Accept-Encoding");

  test("is settled from two headers, the second time as the first", () => {
    for (const _ of [1, 2]) {
      for (const [requested, accepted, expected, reason] of settled) {
        const { request, response, error } = negotiate(requested, accepted);
        expect([request?.name, response?.name], reason).toEqual(expected);
        expect(error, reason).toBeUndefined();
      }
    }
  });

  test("that is unknown is unimplemented, with those that are known, each time anew", () => {
    const first = negotiate("zstd", undefined).error;
    expect([first?.code, first?.rawMessage]).toEqual([
      Code.Unimplemented,
      'unknown compression "zstd": supported encodings are gzip,br',
    ]);
    expect(first?.metadata.get("grpc-accept-encoding")).toBe("gzip,br");
    expect(negotiate("zstd", undefined).error).not.toBe(first);
  });

  test("is not confused by values that look like two", () => {
    expect(negotiate("gzip\nbr", undefined).error?.code).toBe(Code.Unimplemented);
    expect(negotiate("gzip", "br").response?.name).toBe("br");
    expect(negotiate(undefined, "gzip").request).toBeNull();
  });

  test("is settled also beyond what is remembered", () => {
    for (let index = 0; index < 1000; index++) {
      expect(negotiate("gzip", `x${index}, br`).response?.name).toBe("br");
    }
  });
});
