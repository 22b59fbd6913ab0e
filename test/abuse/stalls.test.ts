// What becomes of clients that stop: those in the middle of a message lose their call, those between two do not.
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { callHead, data, opening, wholeData } from "../support/call-frames.js";
import { envelope } from "../support/envelopes.js";
import { decodeFrames, frameTypes } from "../support/http2-frames.js";
import { openRaw, type RawSocket } from "../support/raw-socket.js";
import { quick, useVictim } from "./victim.js";

const stallMs = 300;
const limits = { ...quick, openingMs: 10_000, keepAliveMs: 65_000, stallMs, unsentBytes: 16_000_000 };
const service = "manywire.test.v1.TestService";
const httpRules = { rules: [{ selector: `${service}.ClientStream`, post: "/upload", body: "*" }] };

const whole = envelope('{"text":"whole"}');
const half = whole.subarray(0, 9);
const unary = `/${service}/Unary`;
const stream = `/${service}/ClientStream`;
const json = Buffer.from('{"text":"whole"}');
const calls: [what: string, path: string, type: string, body: Buffer, isStalled: boolean][] = [
  ["no message of a gRPC call", unary, "application/grpc+json", Buffer.alloc(0), true],
  ["half a message of a gRPC call", unary, "application/grpc+json", half, true],
  ["a message of a gRPC call, without its end", unary, "application/grpc+json", whole, true],
  ["half a message of a Connect call", unary, "application/json", json.subarray(0, 5), true],
  ["no message of a gRPC stream", stream, "application/grpc+json", Buffer.alloc(0), false],
  ["a message of a gRPC stream", stream, "application/grpc+json", whole, false],
  ["one and a half messages of a gRPC stream", stream, "application/grpc+json", Buffer.concat([whole, half]), true],
  ["a message of a gRPC-Web stream", stream, "application/grpc-web+json", whole, false],
  ["half a message of a gRPC-Web stream", stream, "application/grpc-web+json", half, true],
  ["a message of a Connect stream", stream, "application/connect+json", whole, false],
  ["half a message of a Connect stream", stream, "application/connect+json", half, true],
  ["an element of a REST stream", "/upload", "application/json", Buffer.from('[{"text":"a"},'), false],
  ["half an element of a REST stream", "/upload", "application/json", Buffer.from('[{"text":"a"},{"te'), true],
  ["a line of a REST stream", "/upload", "application/x-ndjson", Buffer.from('{"text":"a"}\n'), false],
  ["half a line of a REST stream", "/upload", "application/x-ndjson", Buffer.from('{"text":"a"}\n{"te'), true],
];

/** The error codes of the resets that have come. */
function resets({ received }: RawSocket): number[] {
  return decodeFrames(received)
    .filter(({ type }) => type === frameTypes.rstStream)
    .map(({ payload }) => payload.readUInt32BE(0));
}

describe("a stall", () => {
  const victim = useVictim({ limits, httpRules });

  test("a client that stops is reset within a message, and never between two", async () => {
    await victim.withstand(async (url) => {
      const outcomes = calls.map(async ([what, path, type, body, isStalled]) => {
        await using socket = await openRaw(url);
        socket.write(Buffer.concat([opening(), callHead(1, { ":path": path, "content-type": type })]));
        if (body.length > 0) socket.write(data(1, body));
        if (isStalled) await expect.poll(() => resets(socket), { timeout: 5000 }).toEqual([11]);
        else await delay(4 * stallMs);
        return [what, resets(socket)];
      });
      expect(await Promise.all(outcomes)).toEqual(
        calls.map(([what, , , , isStalled]) => [what, isStalled ? [11] : []]),
      );
    });
  });

  test("250 responses of 1 MB to a client without a window are limited, and end", async () => {
    await victim.withstand(async (url) => {
      await using socket = await openRaw(url);
      // In binary, because JSON takes long for so many bytes: field 6 asks for 1,000,000 bytes.
      const body = Buffer.from([0x30, 0xc0, 0x84, 0x3d]);
      const ids = Array.from({ length: 250 }, (_, index) => 2 * index + 1);
      const calls = ids.map((id) =>
        Buffer.concat([callHead(id, { "content-type": "application/proto" }), wholeData(id, body)]),
      );
      socket.write(Buffer.concat([opening([[4, 0]]), ...calls]));
      await expect.poll(() => resets(socket).length, { timeout: 20_000 }).toBe(250);
      expect(new Set(resets(socket))).toEqual(new Set([11]));
    });
  }, 30_000);
});
