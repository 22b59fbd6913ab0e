// Documents as text in chunks: JSON and YAML encode the value, however deep they are split.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { jsonPieces } from "../../../server/pages/json-text.js";
import { yamlPieces } from "../../../server/pages/yaml-text.js";

const yamlOf = (value: unknown, depth: number) => [...yamlPieces(value, depth)].join("");
const versions = ["1.2", "1.1"] as const;

/** Texts that readers of YAML take for something else, or that need care. */
const texts = [
  ...[
    "",
    " ",
    "a",
    "a b",
    "a ",
    " a",
    "a  b",
    "a:",
    "a: b",
    "a #b",
    "#a",
    "- a",
    "-",
    "?",
    "? a",
    ":",
    "!a",
    "&a",
    "*a",
  ],
  ...[
    "|",
    ">",
    "|-",
    "%a",
    "@a",
    "`a`",
    "{",
    "{}",
    "[a]",
    "a,b",
    "'a'",
    '"a"',
    "a'b",
    'a"b',
    "\\",
    "~",
    "null",
    "Null",
  ],
  ...[
    "true",
    "True",
    "yes",
    "NO",
    "on",
    "off",
    "y",
    "n",
    "N",
    "1",
    "1.5",
    "1e3",
    "0x1f",
    "0o7",
    "017",
    "1_000",
    "1:30",
  ],
  ...[
    ".inf",
    "-.inf",
    ".nan",
    "NaN",
    "Infinity",
    "2024-02-29",
    "2024-02-29T12:00:00Z",
    "<<",
    "=",
    "---",
    "...",
    "--- a",
  ],
  ...["a\nb", "a\n", "\na", "a\n\nb", "a\n b", " a\nb", "a\n\n", "a\n \nb", "a \nb", "a\tb\nc", "\ta\nb", "a\n---\nb"],
  ...[
    "a\n# b",
    "a\r\nb",
    "a\rb",
    "a\u0085b\nc",
    "a\u2028b\nc",
    "a\u0000b",
    "a\u007fb",
    "\ufeffa",
    "\ufeffa\nb",
    "\ud800",
    "é\nà",
  ],
  ...[
    "😀",
    "😀\nb",
    "\ufffe",
    "\uffff",
    "a\n\ufffe",
    "/v1/{name=shelves/*}:verb",
    "$ref",
    "#/components/x",
    "a".repeat(2000),
  ],
];

describe.each(versions)("YAML %s", (version) => {
  it.each(texts)("%j is text as value, item, key and document", (text) => {
    const value = {
      first: text,
      [text]: "key",
      list: [text, [text], { inner: text }],
      last: { [text]: { deep: text } },
    };
    for (const depth of [0, 1, 3]) expect(parse(yamlOf(value, depth), { version })).toEqual(value);
    expect(parse(yamlOf(text, 0), { version })).toBe(text);
  });
});

const json = fc.jsonValue({ stringUnit: "binary" });

it("YAML is the value, whatever it is and wherever it is cut", () => {
  fc.assert(
    fc.property(json, fc.nat(3), (value, depth) => {
      expect(parse(yamlOf(value, depth))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 300 },
  );
});

it("JSON is as JSON.stringify writes it", () => {
  fc.assert(
    fc.property(json, fc.nat(3), (value, depth) => {
      expect([...jsonPieces(value, depth)].join("")).toBe(JSON.stringify(value));
    }),
    { numRuns: 300 },
  );
});

it("members without a value are left out", () => {
  const value = { a: undefined, b: { c: undefined }, d: [undefined], e: { f: { g: undefined, h: 1 } } };
  for (const depth of [0, 1, 2, 3]) {
    expect([...jsonPieces(value, depth)].join("")).toBe(JSON.stringify(value));
    expect(parse(yamlOf(value, depth))).toEqual(JSON.parse(JSON.stringify(value)));
  }
});

it("YAML is readable", () => {
  const value = {
    info: { title: "Shelf", description: "One.\n\nTwo: 2." },
    tags: [{ name: "a", "@type": "b" }],
    none: {},
  };
  expect(yamlOf(value, 3)).toBe(`info:
  title: Shelf
  description: |-
    One.

    Two: 2.
tags:
  - name: a
    "@type": b
none: {}
`);
});
