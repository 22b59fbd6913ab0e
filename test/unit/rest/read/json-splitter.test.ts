import { ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BodyForm, createJsonSplitter } from "../../../../server/rest/read/json-splitter.js";

/** The values of a body that comes in chunks, and the text of the error that it ends with. */
function split(form: BodyForm, chunks: readonly Uint8Array[], limitBytes = 1000): { values: string[]; error?: string } {
  const values: Uint8Array[] = [];
  const splitter = createJsonSplitter(form, limitBytes);
  const texts = () => values.map((value) => Buffer.from(value).toString());
  try {
    for (const chunk of chunks) splitter.push(chunk, values);
    splitter.end(values);
  } catch (reason) {
    return { values: texts(), error: ConnectError.from(reason).rawMessage };
  }
  return { values: texts() };
}

/** Cuts bytes at the places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const places = fc.array(fc.nat(), { maxLength: 10 });
const blank = fc.stringMatching(/^[ \t\r]{0,3}$/);
const values = fc.array(fc.jsonValue());

describe("a stream of JSON, split anywhere, yields the values that were written", () => {
  test("as an array", () => {
    fc.assert(
      fc.property(values, blank, fc.constantFrom(0, 2), places, (all, space, indent, where) => {
        const text = `${space}[${all.map((value) => `${space}${JSON.stringify(value, null, indent)}${space}`).join(",")}]\n${space}`;
        const found = split("json", cut(Buffer.from(text), where), 1e6);
        expect(found.error).toBeUndefined();
        expect(found.values.map((value) => JSON.parse(value))).toEqual(
          all.map((value) => JSON.parse(JSON.stringify(value))),
        );
      }),
    );
  });

  test("as lines", () => {
    fc.assert(
      fc.property(values, blank, fc.constantFrom("\n", "\r\n", "\n\n"), places, (all, space, end, where) => {
        const text = all.map((value) => `${space}${JSON.stringify(value)}${space}`).join(end);
        const found = split("lines", cut(Buffer.from(text), where), 1e6);
        expect(found.error).toBeUndefined();
        expect(found.values.map((value) => JSON.parse(value))).toEqual(
          all.map((value) => JSON.parse(JSON.stringify(value))),
        );
      }),
    );
  });

  test("and an invalid stream fails alike, split anywhere", () => {
    const text = fc.string({ unit: fc.constantFrom(...'[]{},"\\ \n:1é') });
    fc.assert(
      fc.property(text, fc.constantFrom<BodyForm>("json", "lines"), places, (body, form, where) => {
        const bytes = Buffer.from(body);
        expect(split(form, cut(bytes, where))).toEqual(split(form, [bytes]));
      }),
    );
  });
});

test.each<[BodyForm, string, string[], string | undefined]>([
  ["json", "[]", [], undefined],
  ["json", " [ ] ", [], undefined],
  ["json", "", [], undefined],
  ["json", '[1,"]",{"a":[2,3]}]', ["1", '"]"', '{"a":[2,3]}'], undefined],
  ["json", '["\\"]", "\\\\"]', ['"\\"]"', '"\\\\"'], undefined],
  ["json", "{}", [], 'the body: expected a JSON array, found "{"'],
  ["json", "[1", [], "the body: expected a JSON array, found one that is not closed"],
  ["json", "[1,2", ["1"], "the body: expected a JSON array, found one that is not closed"],
  ["json", "[,1]", [], "the body: expected a JSON array, found an element that is missing"],
  ["json", "[1,]", ["1"], "the body: expected a JSON array, found an element that is missing"],
  ["json", "[1,,2]", ["1"], "the body: expected a JSON array, found an element that is missing"],
  ["json", "[1]2", ["1"], 'the body: expected a JSON array, found "2"'],
  ["json", "[1,123456789012]", ["1"], "message size is larger than configured readMaxBytes 11"],
  ["json", "[12345678901]", ["12345678901"], undefined],
  ["lines", "1\n2", ["1", "2"], undefined],
  ["lines", "\n \r\n1\r\n\n", ["1\r"], undefined],
  ["lines", "12345678901\n", ["12345678901"], undefined],
  ["json", `[1,${" ".repeat(11)}2]`, ["1", "2"], undefined],
  ["json", `${" ".repeat(6)}[${" ".repeat(6)}1]`, [], "body: more than 11 bytes of white space without a message"],
  ["json", `[1,${"\t\r\n ".repeat(3)}2]`, ["1"], "body: more than 11 bytes of white space without a message"],
  ["json", `[1]${" ".repeat(12)}`, ["1"], "body: more than 11 bytes of white space without a message"],
  ["lines", `1\n${"\n".repeat(11)}2\n`, ["1", "2"], undefined],
  ["lines", `1\n${"\n\r ".repeat(4)}2\n`, ["1"], "body: more than 11 bytes of white space without a message"],
  ["lines", "1\n123456789012\n", ["1"], "message size is larger than configured readMaxBytes 11"],
])("%s %j has the values %j", (form, text, expected, error) => {
  expect(split(form, [Buffer.from(text)], 11)).toEqual(
    error === undefined ? { values: expected } : { values: expected, error },
  );
});
