import { Code } from "@connectrpc/connect";
import { parseTimeout } from "@connectrpc/connect/protocol-grpc";
import { describe, expect, test } from "vitest";
import type { RpcProtocol } from "../../../server/call/method.js";
import { maxTimerMs, readTimeout, timeoutHeaders } from "../../../server/call/timeout.js";
import { Random, seed } from "../../support/random.js";

const maxTimeoutMs = Number.MAX_SAFE_INTEGER;

const valid: [protocol: RpcProtocol, value: string, timeoutMs: number][] = [
  ["grpc", "5S", 5000],
  ["grpc", "10m", 10],
  ["grpc", "2M", 120_000],
  ["grpc", "1H", 3_600_000],
  ["grpc-web", "1500u", 1.5],
  ["grpc-web", "1000000n", 1],
  ["connect", "1500", 1500],
  ["grpc", "596H", 2_145_600_000],
  ["grpc", "597H", maxTimerMs],
  ["grpc", "99999999H", maxTimerMs],
  ["connect", "2147483647", maxTimerMs],
  ["connect", "2147483648", maxTimerMs],
  ["connect", "9999999999", maxTimerMs],
];

const invalid: [protocol: RpcProtocol, value: string][] = [
  ["grpc", "5"],
  ["grpc", "S"],
  ["grpc", "-1S"],
  ["grpc", "1.5S"],
  ["grpc", "123456789S"],
  ["grpc", ""],
  ["grpc-web", "5s"],
  ["connect", "5S"],
  ["connect", "-1"],
  ["connect", "1e3"],
  ["connect", ""],
  ["connect", "99999999999"],
];

function read(protocol: RpcProtocol, value: string | undefined, max = maxTimeoutMs) {
  return readTimeout(protocol, { [timeoutHeaders[protocol]]: value }, max);
}

describe("a deadline", () => {
  test("is read in its protocol's notation, and limited to the longest timer", () => {
    for (const [protocol, value, timeoutMs] of valid) {
      expect([protocol, value, read(protocol, value)]).toEqual([protocol, value, { timeoutMs }]);
    }
  });

  test("that says nothing sensible is an invalid argument", () => {
    for (const [protocol, value] of invalid) {
      const { timeoutMs, error } = read(protocol, value);
      expect([protocol, value, timeoutMs, error?.code]).toEqual([protocol, value, undefined, Code.InvalidArgument]);
    }
  });

  test("of gRPC is what Connect's own parser reads", () => {
    const random = new Random(seed);
    const draw = () => random.several(0, 9, () => random.pick(["0", "1", "9", "5", " ", "٣"])).join("");
    for (let round = 0; round < 5000; round++) {
      const text = random.chance(0.8) ? `${random.below(10 ** (1 + random.below(9)))}` : draw();
      const value = text + random.pick(["H", "M", "S", "m", "u", "n", "", "s", "\n"]);
      const max = random.pick([maxTimeoutMs, maxTimerMs, 1000]);
      const { timeoutMs, error } = parseTimeout(value, max);
      const found = read("grpc", value, max);
      if (error !== undefined) expect([value, found.error?.message]).toEqual([value, error.message]);
      else expect([value, found.timeoutMs]).toEqual([value, Math.min(timeoutMs ?? Number.NaN, maxTimerMs)]);
    }
  });

  test("may be missing", () => {
    for (const protocol of ["grpc", "grpc-web", "connect"] as const) expect(read(protocol, undefined)).toEqual({});
  });

  test("of nothing has passed", () => {
    for (const [protocol, value] of [
      ["grpc", "0m"],
      ["connect", "0"],
    ] as const) {
      const { timeoutMs, error } = read(protocol, value);
      expect([timeoutMs, error?.code]).toEqual([0, Code.DeadlineExceeded]);
    }
  });

  test("beyond the most that the server allows is an invalid argument", () => {
    expect(read("connect", "1000", 1000)).toEqual({ timeoutMs: 1000 });
    expect(read("connect", "1001", 1000).error?.rawMessage).toBe("timeout 1001ms must be <= 1000");
    expect(read("grpc", "2S", 1000).error?.code).toBe(Code.InvalidArgument);
  });
});
