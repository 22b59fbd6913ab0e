import { expect, test } from "vitest";
import { RequestError } from "../../../server/http1/errors.js";
import { HeadReader } from "../../../server/http1/head-reader.js";
import { Input } from "../../../server/http1/input.js";
import type { RequestHead } from "../../../server/http1/request-head.js";
import { Random, seed } from "../../support/random.js";

const head = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(50)}\r\n\r\n`;

function feed(reader: HeadReader, input: Input, text: string) {
  input.append(Buffer.from(text, "latin1"));
  return reader.read(input);
}

test("a head is read wherever its bytes are cut", () => {
  const bytes = head("/a");
  for (let cut = 1; cut < bytes.length; cut++) {
    const [reader, input] = [new HeadReader(1000), new Input()];
    expect(feed(reader, input, bytes.slice(0, cut)), `cut at ${cut}`).toBeUndefined();
    expect(feed(reader, input, bytes.slice(cut))?.target, `cut at ${cut}`).toBe("/a");
    expect(input.length).toBe(0);
  }
});

test("the same bytes are the same head, others are not", () => {
  const [reader, input] = [new HeadReader(1000), new Input()];
  const first = feed(reader, input, head("/a"));
  expect(feed(reader, input, head("/a"))).toBe(first);
  expect(feed(reader, input, head("/b"))?.target).toBe("/b");
  expect(feed(reader, input, head("/a"))).not.toBe(first);
  // The bytes of a head that is known may also come in parts.
  expect(feed(reader, input, head("/a").slice(0, 20))).toBeUndefined();
  expect(feed(reader, input, head("/a").slice(20))?.target).toBe("/a");
});

test("empty lines before a head are skipped", () => {
  const [reader, input] = [new HeadReader(1000), new Input()];
  expect(feed(reader, input, "\r\n\r\n")).toBeUndefined();
  expect(feed(reader, input, `\r\n${head("/a")}`)?.target).toBe("/a");
});

test.each([
  ["\u0016\u0003\u0001", "request line: expected a method"],
  ["GET / HTTP/1.1\n", "line: expected carriage return and line feed at its end"],
  ["GET / HTTP/1.1\r\nno colon\r\n", "field line: expected a name and a colon"],
  ["A".repeat(41), "request line: expected a method"],
  [`GET / HTTP/1.1\r\nX: ${"y".repeat(1000)}`, "headers: expected at most 1000 bytes"],
])("what cannot become a head is refused before its end: %j", (bytes, message) => {
  expect(() => feed(new HeadReader(1000), new Input(), bytes)).toThrow(message);
});

test("heads are not kept alive by what came with them, nor large ones at all", () => {
  const [reader, input] = [new HeadReader(100_000), new Input()];
  const large = `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(10_000)}\r\n\r\n`;
  expect(feed(reader, input, large)).not.toBe(feed(reader, input, large));
});

test("a head is read as the first one of a connection would be, whatever came before it", () => {
  const random = new Random(seed);
  const line = () =>
    random.pick([
      "Host: a",
      "Host: b",
      "X-A: 1",
      "x-a: 1",
      "X-A:1",
      "X-B: \xe4",
      "E:",
      `T: ${random.below(3)}`,
      "Content-Length: 5",
    ]);
  const describe = ({ method, target, rawHeaders, bodyBytes, keepsAlive, expectation }: RequestHead) => ({
    ...{ method, target, rawHeaders, bodyBytes, keepsAlive, expectation },
  });
  let heads = 0;
  for (let round = 0; round < 200; round++) {
    const [reader, input] = [new HeadReader(1000), new Input()];
    let lines = random.several(1, 6, line);
    for (let step = 0; step < 20; step++) {
      const place = random.below(lines.length + 1);
      const change = random.pick(["same", "replace", "insert", "remove", "break"]);
      if (change === "replace") lines = lines.with(Math.min(place, lines.length - 1), line());
      if (change === "insert") lines = lines.toSpliced(place, 0, line());
      if (change === "remove" && lines.length > 1) lines = lines.toSpliced(place, 1);
      const bad =
        change === "break" ? lines.toSpliced(place, 0, random.pick(["no colon", "X : a", "Content-Length: x"])) : lines;
      const text = ["GET / HTTP/1.1", ...bad, "", ""].join("\r\n");
      const read = (by: HeadReader, from: Input) => {
        try {
          return describe(feed(by, from, text) as RequestHead);
        } catch (error) {
          return error instanceof RequestError ? `${error.status} ${error.message}` : error;
        }
      };
      const found = read(reader, input);
      expect([text, found]).toEqual([text, read(new HeadReader(1000), new Input())]);
      if (typeof found === "string") break;
      heads++;
    }
  }
  expect(heads).toBeGreaterThan(500);
});
