import { expect, test } from "vitest";
import { createStreamWriter, keepAliveComment } from "../../../server/transcode/stream-form.js";

test.each([
  ["array", [], undefined, "[]"],
  ["array", ["1", "2"], undefined, "[1,2]"],
  ["array", [], {}, '[{"error":{}}]'],
  ["array", ["1"], {}, '[1,{"error":{}}]'],
  ["lines", [], undefined, ""],
  ["lines", ["1", "2"], undefined, "1\n2\n"],
  ["lines", ["1"], {}, '1\n{"error":{}}\n'],
  ["events", [], undefined, "event: end\nid: end-of-stream\ndata: {}\n\n"],
  ["events", ["1", "2"], undefined, "data: 1\n\ndata: 2\n\nevent: end\nid: end-of-stream\ndata: {}\n\n"],
  ["events", ["1"], { code: 5 }, 'data: 1\n\nevent: error\nid: end-of-stream\ndata: {"code":5}\n\n'],
  ["array", [], { error: { code: 404 } }, '[{"error":{"code":404}}]'],
  ["lines", [], { error: { code: 404 } }, '{"error":{"code":404}}\n'],
  ["events", [], { error: { code: 404 } }, 'event: error\nid: end-of-stream\ndata: {"error":{"code":404}}\n\n'],
] as const)("%s of %j with the error %j is %j", (form, replies, error, expected) => {
  const writer = createStreamWriter(form);
  expect(replies.map((text) => writer.reply(text)).join("") + writer.end?.(error)).toBe(expected);
});

test("only events are kept alive, by a comment that has no line break inside", () => {
  const kept = (["array", "lines", "events", "bytes"] as const).map((form) => createStreamWriter(form).isKeptAlive);
  expect(kept).toEqual([false, false, true, false]);
  expect(keepAliveComment).toMatch(/^:[^\n]*\n\n$/);
});

test("bytes have no place for an error", () => {
  expect(createStreamWriter("bytes").end).toBeUndefined();
});
