import { describe, expect, it } from "vitest";
import { encodeFrames, type Frame, FrameReader } from "../../../server/pages/browser/frames.js";

const texts = ["", "{}", '{"name":"Zoë 🙂"}', "x".repeat(70_000)];

/** What a reader makes of bytes that come in chunks of that size. */
function read(bytes: Uint8Array, size: number): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (let start = 0; start < bytes.length; start += size)
    frames.push(...reader.push(bytes.subarray(start, start + size)));
  return frames;
}

describe("envelopes", () => {
  it.each([1, 2, 3, 5, 6, 7, 1000, 1_000_000])("are read in pieces of %d bytes", (size) => {
    const short = size < 100 ? texts.slice(0, 3) : texts;
    expect(read(encodeFrames(short), size)).toEqual(short.map((text) => ({ flags: 0, text })));
  });

  it("are written with a byte of flags and four of length", () => {
    expect([...encodeFrames(["ab", ""])]).toEqual([0, 0, 0, 0, 2, 97, 98, 0, 0, 0, 0, 0]);
  });

  it("are left where they are not whole", () => {
    const bytes = encodeFrames(["ab", "cd"]);
    expect(read(bytes.subarray(0, -1), 100)).toEqual([{ flags: 0, text: "ab" }]);
  });
});
