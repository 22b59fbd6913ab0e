import { describe, expect, it } from "vitest";
import {
  type BodyReader,
  type OnMessage,
  readFrames,
  readLines,
  readWhole,
} from "../../../server/pages/browser/body-readers.js";
import { encodeFrames } from "../../../server/pages/browser/frames.js";
import {
  connectVerdict,
  grpcVerdict,
  httpVerdict,
  parseTrailer,
  type Verdict,
} from "../../../server/pages/browser/verdicts.js";

/** What a reader makes of bytes in chunks of that size. */
function read(bytes: Uint8Array, size: number, open: (onMessage: OnMessage) => BodyReader) {
  const messages: string[] = [];
  const reader = open((text) => messages.push(text));
  for (let start = 0; start < bytes.length; start += size) reader.push(bytes.subarray(start, start + size));
  return { messages, verdict: reader.end() };
}

const json = { headers: { "content-type": "application/json" } };
const lines = { headers: { "content-type": "application/x-ndjson" } };
const sizes = [1, 2, 3, 7, 100];

describe("a body that is one message", () => {
  it.each(sizes)("is read in chunks of %d bytes", (size) => {
    const bytes = Buffer.from('{"message":"Zoë 🙂"}');
    const told = read(bytes, size, (onMessage) => readWhole(new Response(null, json), onMessage));
    expect(told).toEqual({
      messages: ['{"message":"Zoë 🙂"}'],
      verdict: { isOk: true, status: "200", error: undefined },
    });
  });

  it("is counted where it is no text", () => {
    const image = new Response(null, { headers: { "content-type": "image/png" } });
    const { messages } = read(Buffer.from("12345"), 2, (onMessage) => readWhole(image, onMessage));
    expect(messages).toEqual(["5 bytes of image/png"]);
  });

  it("is no message where the status says that it failed", () => {
    const failed = new Response(null, { ...json, status: 404 });
    const { messages, verdict } = read(Buffer.from('{"code":"not_found"}'), 3, (onMessage) =>
      readWhole(failed, onMessage),
    );
    expect([messages, verdict]).toEqual([[], { isOk: false, status: "404 not_found", error: '{"code":"not_found"}' }]);
  });
});

describe("lines of JSON", () => {
  const open = (onMessage: OnMessage) => readLines(new Response(null, lines), onMessage);

  it.each(sizes)("are read in chunks of %d bytes, the last with or without its end", (size) => {
    for (const end of ["", "\n"]) {
      const told = read(Buffer.from(`{"text":"ü"}\n\n{"error":"a field"}${end}`), size, open);
      expect(told.messages).toEqual(['{"text":"ü"}', '{"error":"a field"}']);
      expect(told.verdict.isOk).toBe(true);
    }
  });

  it("may end with an error", () => {
    const told = read(Buffer.from('{"text":"a"}\n{"error":{"code":5,"message":"gone"}}\n'), 4, open);
    expect(told).toEqual({
      messages: ['{"text":"a"}'],
      verdict: { isOk: false, status: "200 NOT_FOUND", error: "gone" },
    });
  });
});

describe("envelopes", () => {
  it.each(sizes)("are read in chunks of %d bytes, the one with flags as the end", (size) => {
    const bytes = encodeFrames(['{"text":"ü"}', "{}", "the end"]);
    bytes[bytes.length - 12] = 0x80;
    const told = read(bytes, size, (onMessage) =>
      readFrames(onMessage, (end) => ({ isOk: true, status: String(end) })),
    );
    expect(told).toEqual({ messages: ['{"text":"ü"}', "{}"], verdict: { isOk: true, status: "the end" } });
  });

  it("may come to no end", () => {
    const bytes = encodeFrames(["{}", "{}"]).subarray(0, -1);
    const told = read(bytes, 3, (onMessage) => readFrames(onMessage, connectVerdict));
    expect(told).toEqual({
      messages: ["{}"],
      verdict: { isOk: false, status: "cut", error: "the response ended before its status came" },
    });
  });
});

describe("what a call came to", () => {
  const failed = { isOk: false };

  it.each<[what: string, verdict: Verdict, expected: Partial<Verdict>]>([
    ["HTTP", httpVerdict({ ok: true, status: 200 }, ""), { isOk: true, status: "200", error: undefined }],
    ["text", httpVerdict({ ok: false, status: 405 }, "expected POST"), { status: "405", error: "expected POST" }],
    [
      "google.rpc.Status",
      httpVerdict({ ok: false, status: 400 }, '{"code":3,"message":"no"}'),
      { status: "400 INVALID_ARGUMENT", error: "no" },
    ],
    [
      "the errors of Google's APIs",
      httpVerdict({ ok: false, status: 400 }, '{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"no"}}'),
      { status: "400 INVALID_ARGUMENT", error: "no" },
    ],
    ["an unknown code", httpVerdict({ ok: false, status: 500 }, '{"code":99}'), { status: "500" }],
    ["JSON that is no object", httpVerdict({ ok: false, status: 500 }, "null"), { status: "500", error: "null" }],
    ["Connect", connectVerdict("{}"), { isOk: true, status: "ok" }],
    [
      "an error of Connect",
      connectVerdict('{"error":{"code":"not_found","message":"gone"}}'),
      { ...failed, status: "not_found", error: "gone" },
    ],
    ["one without a message", connectVerdict('{"error":{"code":"aborted"}}'), { ...failed, error: "aborted" }],
    ["gRPC-Web", grpcVerdict(parseTrailer("grpc-status: 0\r\n")), { isOk: true, status: "0 OK" }],
    [
      "an error of gRPC-Web",
      grpcVerdict(parseTrailer("Grpc-Status:5\r\ngrpc-message:gone%21 50%25\r\n")),
      { ...failed, status: "5 NOT_FOUND", error: "gone! 50%" },
    ],
    [
      "a message that is not encoded",
      grpcVerdict(parseTrailer("grpc-status: 13\r\ngrpc-message: 50%\r\n")),
      { ...failed, error: "50%" },
    ],
    ["no message", grpcVerdict(parseTrailer("grpc-status: 13")), { ...failed, error: "13 INTERNAL" }],
    ["no status among the trailers", grpcVerdict(parseTrailer("x: y\r\n")), { ...failed, status: "2 UNKNOWN" }],
    ["no trailers", grpcVerdict(undefined), { ...failed, status: "cut" }],
  ])("is read from %s", (_, verdict, expected) => {
    expect(verdict).toMatchObject(expected);
  });
});
