import { Code } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { chooseCompression, chooseStreamForm, readBodyForm, readRestTimeout } from "../../../server/transcode/head.js";

const longest = 2_147_483_647;

test.each([
  [{}, undefined, undefined],
  [{ "x-server-timeout": "1.5" }, 1500, undefined],
  [{ "x-server-timeout": "3000000" }, longest, undefined],
  [{ "x-server-timeout": "0" }, 0, Code.DeadlineExceeded],
  [{ "x-server-timeout": "-1" }, undefined, Code.InvalidArgument],
  [{ "x-server-timeout": "1e3" }, undefined, Code.InvalidArgument],
  [{ "x-server-timeout": "" }, undefined, Code.InvalidArgument],
  [{ "x-server-timeout": "99999999" }, undefined, Code.InvalidArgument],
  [{ "grpc-timeout": "2S" }, 2000, undefined],
  [{ "connect-timeout-ms": "7" }, 7, undefined],
  [{ "connect-timeout-ms": "x" }, undefined, Code.InvalidArgument],
  [{ "connect-timeout-ms": "7", "grpc-timeout": "2S" }, 2000, undefined],
  [{ "x-server-timeout": "1", "grpc-timeout": "2S" }, 1000, undefined],
])("%o is a deadline after %o ms, or the error %o", (headers, timeoutMs, code) => {
  const timeout = readRestTimeout(headers, 5_000_000_000);
  expect([timeout.timeoutMs, timeout.error?.code]).toEqual([timeoutMs, code]);
});

test("an invalid deadline says what was expected", () => {
  expect(readRestTimeout({ "x-server-timeout": "soon" }, 5000).error?.rawMessage).toBe(
    'x-server-timeout: expected a number of seconds of at most 5, found "soon"',
  );
});

test.each([
  [undefined, "json"],
  ["application/json", "json"],
  ["Application/JSON ; Charset=UTF-8", "json"],
  ["application/problem+json", "json"],
  ["application/x-ndjson", "lines"],
  [" application/jsonl;charset=utf-8", "lines"],
  ["application/x-ndjson; charset=latin1", undefined],
  ["application/jsonlines", undefined],
  ["application/json; charset=utf-16", undefined],
  ["text/json", undefined],
  ["text/plain", undefined],
  ["application/x-www-form-urlencoded", undefined],
  ["", undefined],
])("a body of type %j has the form %j", (type, form) => {
  expect(readBodyForm(type)).toBe(form);
});

test.each([
  [undefined, undefined],
  ["", undefined],
  ["gzip", "gzip"],
  ["GZIP", "gzip"],
  ["br, gzip", "br"],
  ["gzip;q=0.1, br;q=0.2", "br"],
  ["gzip;q=0", undefined],
  ["gzip; q=0.000, br", "br"],
  ["gzip;q=x", undefined],
  ["*", undefined],
  ["deflate, zstd", undefined],
])("Accept-Encoding %j chooses %j", (accepted, name) => {
  expect(chooseCompression([compressionGzip, compressionBrotli], accepted)?.name).toBe(name);
});

test.each([
  [undefined, "array"],
  ["*/*", "array"],
  ["text/html", "array"],
  ["text/event-stream", "events"],
  ["TEXT/Event-Stream; charset=utf-8", "events"],
  ["application/x-ndjson", "lines"],
  ["application/jsonl", "lines"],
  ["application/json, text/event-stream", "array"],
  ["application/json;q=0.1, text/event-stream;q=0.5", "events"],
  ["text/event-stream, */*", "events"],
  ["*/*;q=0.1, application/jsonl;q=0", "array"],
])("Accept %j wants %j", (accept, form) => {
  expect(chooseStreamForm(accept)).toBe(form);
});
