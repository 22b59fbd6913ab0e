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

/** Lines of heads. Some of them make a head malformed, or say something of the body or the connection. */
const drawLine = (random: Random) =>
  random.pick([
    "Host: a",
    "Host: b",
    "X-A: 1",
    "x-a: 1",
    "X-A:1",
    "X-B: \xe4",
    "E:",
    `T: ${random.below(100)}`,
    `Content-Length: ${random.below(12)}`,
    random.pick(["Connection: close", "Connection: keep-alive", "Expect: 100-continue", "Transfer-Encoding: chunked"]),
  ]);
const drawRequestLine = (random: Random) =>
  `${random.pick(["GET", "POST"])} /${"a".repeat(random.below(3))} HTTP/1.${random.below(2)}`;
function withOtherValue(lines: string[], place: number, random: Random): string[] {
  const [name = ""] = (lines[place] as string).split(":");
  const value = name === "Content-Length" ? random.below(12) : random.pick(["", "close", "chunked", random.below(100)]);
  return lines.with(place, `${name}: ${value}`);
}
const badLines = ["no colon", "X : a", "Content-Length: x", "", "T: \n", "T: a\rb"];

test("a head is read as the first one of a connection would be, whatever came before it", () => {
  const random = new Random(seed);
  const describe = ({ method, target, isHttp10, rawHeaders, bodyBytes, keepsAlive, expectation }: RequestHead) => ({
    ...{ method, target, isHttp10, rawHeaders, bodyBytes, keepsAlive, expectation },
  });
  const seen = { heads: 0, similar: 0, changed: 0, refused: 0 };
  for (let round = 0; round < 400; round++) {
    const [reader, input] = [new HeadReader(200), new Input()];
    let lines = random.several(1, 8, () => drawLine(random));
    let requestLine = drawRequestLine(random);
    // Most connections have a few lines that differ from head to head.
    const places = random.several(0, 3, () => random.below(lines.length));
    for (let step = 0; step < 20; step++) {
      const place = random.below(lines.length + 1);
      const change = random.pick(["same", "value", "value", "value", "line", "insert", "remove", "replace", "break"]);
      if (change === "value") for (const one of places) lines = withOtherValue(lines, one % lines.length, random);
      if (change === "line") requestLine = drawRequestLine(random);
      if (change === "replace") lines = lines.with(Math.min(place, lines.length - 1), drawLine(random));
      if (change === "insert") lines = lines.toSpliced(place, 0, drawLine(random));
      if (change === "remove" && lines.length > 1) lines = lines.toSpliced(place, 1);
      const isBroken = change === "break" && random.chance(0.3);
      const bad = isBroken ? lines.with(Math.min(place, lines.length - 1), random.pick(badLines)) : lines;
      const text = [requestLine, ...bad, "", ""].join("\r\n");
      const read = (by: HeadReader, from: Input) => {
        try {
          const head = feed(by, from, text);
          if (head?.similar !== undefined) seen.similar++;
          if ((head?.similar?.changes.length ?? 0) > 0) seen.changed++;
          return head === undefined ? head : { ...describe(head), left: from.length };
        } catch (error) {
          return error instanceof RequestError ? `${error.status} ${error.message}` : error;
        }
      };
      const found = read(reader, input);
      expect([text, found]).toEqual([text, read(new HeadReader(200), new Input())]);
      if (typeof found === "string") seen.refused++;
      if (typeof found === "string" || input.length > 0) break;
      seen.heads++;
    }
  }
  expect(seen.heads).toBeGreaterThan(1000);
  expect(seen.similar).toBeGreaterThan(200);
  expect(seen.changed).toBeGreaterThan(100);
  expect(seen.refused).toBeGreaterThan(50);
});

const traced = (trace: string, length = 0) =>
  `POST /a HTTP/1.1\r\nHost: a\r\nX-Trace: ${trace}\r\nA: b\r\nContent-Length: ${length}\r\n\r\n`;

test("of heads that differ in a few lines, only these are read anew", () => {
  const [reader, input] = [new HeadReader(1000), new Input()];
  feed(reader, input, traced("1"));
  const second = feed(reader, input, traced("2"));
  const third = feed(reader, input, traced("a longer one"));
  expect(third?.similar).toEqual({ head: second, changes: [expect.objectContaining({ value: "a longer one" })] });
  expect(third?.rawHeaders).toEqual(["Host", "a", "X-Trace", "a longer one", "A", "b", "Content-Length", "0"]);
  // A line that differs for the first time makes another head to be similar to.
  const fourth = feed(reader, input, traced("4", 12));
  expect(fourth).toMatchObject({ bodyBytes: 12, similar: undefined });
  expect(feed(reader, input, traced("5", 3))).toMatchObject({ bodyBytes: 3, similar: { head: fourth } });
  expect(feed(reader, input, traced("4", 12))).toBe(fourth);
});

test("a head that is like another one is refused where it is malformed, and taken no larger", () => {
  const start = () => {
    const [reader, input] = [new HeadReader(100), new Input()];
    feed(reader, input, traced("1"));
    feed(reader, input, traced("2"));
    return (text: string) => feed(reader, input, text);
  };
  expect(() => start()(traced("\u0001"))).toThrow("X-Trace: invalid character");
  expect(() => start()(traced("a\nb"))).toThrow("invalid character");
  expect(() => start()(traced("x".repeat(100)))).toThrow("headers: expected at most 100 bytes");
  expect(() => start()(traced("3").replace("X-Trace:", "X-Trace"))).toThrow("expected a name and a colon");
});
