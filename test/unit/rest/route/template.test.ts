import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printTemplate, type Segment, type Template, TemplateError } from "../../../../server/rest/route/template.js";
import { parseTemplate } from "../../../../server/rest/route/template-parser.js";

const literal = (text: string): Segment => ({ kind: "literal", text });
const single: Segment = { kind: "single" };
const multi: Segment = { kind: "multi" };

/** Template, its segments and verb, its variables as [field path, start, end, column], reason. */
const accepted: [string, Segment[], string, [string, number, number, number][], string][] = [
  ["/", [], "", [], "the root has no segments"],
  ["/v1/echo", [literal("v1"), literal("echo")], "", [], "literals"],
  ["/v1:verb", [literal("v1")], "verb", [], "a verb after a literal"],
  ["/*/**", [single, multi], "", [], "wildcards that no field takes"],
  ["/v1/{x}", [literal("v1"), single], "", [["x", 1, 2, 6]], "a variable is one segment"],
  ["/v1/{x=*}", [literal("v1"), single], "", [["x", 1, 2, 6]], "which may be said"],
  ["/{a.b_1.C}", [single], "", [["a.b_1.C", 0, 1, 3]], "a field path"],
  [
    "/{x=a/*/b/**}",
    [literal("a"), single, literal("b"), multi],
    "",
    [["x", 0, 4, 3]],
    "a variable of several segments",
  ],
  ["/{name=operations}", [literal("operations")], "", [["name", 0, 1, 3]], "a variable that can have one value"],
  [
    "/{a=**}/{b}/c",
    [multi, single, literal("c")],
    "",
    [
      ["a", 0, 1, 3],
      ["b", 1, 2, 10],
    ],
    "a tail after **",
  ],
  ["/{x}:undo", [single], "undo", [["x", 0, 1, 3]], "a verb after a variable"],
  ["/**:undo", [multi], "undo", [], "a verb after **"],
  ["/a:b/c", [literal("a:b"), literal("c")], "", [], "a colon in a segment that is not the last is ordinary"],
  ["/:a/b", [literal(":a"), literal("b")], "", [], "also in its first place"],
  ["/{x=a:b/*}", [literal("a:b"), single], "", [["x", 0, 2, 3]], "and in a variable"],
  ["/a=b;c,d@e!f$g&h'(i)+~-._", [literal("a=b;c,d@e!f$g&h'(i)+~-._")], "", [], "every character of a path but % : *"],
  ["/%7eA%2f%c3%A9", [literal("~A%2F%C3%A9")], "", [], "escapes are normalised"],
  ["/é:ü", [literal("%C3%A9")], "%C3%BC", [], "text beyond ASCII is escaped"],
];

test.each(accepted)("%s is parsed: %5$s", (source, segments, verb, variables) => {
  const expected = variables.map(([path, start, end, column]) => ({ names: path.split("."), start, end, column }));
  expect(parseTemplate(source)).toEqual({ segments, verb, variables: expected });
});

/** Template, column, expected, found. Between them they produce every message that the parser has. */
const rejected: [string, number, string, string][] = [
  ["", 1, '"/"', "end of template"],
  ["v1", 1, '"/"', '"v"'],
  ["http://host/v1", 1, '"/"', '"h"'],
  ["/:verb", 2, '"*", "**", "{" or a literal', '":"'],
  ["/v1/", 5, '"*", "**", "{" or a literal', "end of template"],
  ["//v1", 2, '"*", "**", "{" or a literal', '"/"'],
  ["/v1/?a", 5, '"*", "**", "{" or a literal', '"?"'],
  ["/}", 2, '"*", "**", "{" or a literal', '"}"'],
  ["/v1?a", 4, '"/", ":" or end of template', '"?"'],
  ["/v1#a", 4, '"/", ":" or end of template', '"#"'],
  ["/a b", 3, '"/", ":" or end of template', '" "'],
  ["/a\\b", 3, '"/", ":" or end of template', '"\\\\"'],
  ["/slug={slug}", 7, '"/", ":" or end of template', '"{"'],
  ["/{x}y", 5, '"/", ":" or end of template', '"y"'],
  ["/*a", 3, '"/", ":" or end of template', '"a"'],
  ["/***", 4, '"/", ":" or end of template', '"*"'],
  ["/a*", 3, '"/", ":" or end of template', '"*"'],
  ["/a\u0000", 3, '"/", ":" or end of template', '"\\u0000"'],
  ["/v1:", 5, "a verb", "end of template"],
  ["/{x}::a", 6, "a verb", '":"'],
  ["/v1:{x}", 5, "a verb", '"{"'],
  ["/v1:a:b", 6, "end of template", '":"'],
  ["/{x}:a/b", 7, "end of template", '"/"'],
  ["/v1/{name", 10, '"}" or "="', "end of template"],
  ["/{a-b}", 4, '"}" or "="', '"-"'],
  ["/{a b}", 4, '"}" or "="', '" "'],
  ["/{}", 3, "a field name", '"}"'],
  ["/{1a}", 3, "a field name", '"1"'],
  ["/{a.}", 5, "a field name", '"}"'],
  ["/{a..b}", 5, "a field name", '"."'],
  ["/{.a}", 3, "a field name", '"."'],
  ["/{=a}", 3, "a field name", '"="'],
  ["/{*}", 3, "a field name", '"*"'],
  ["/{é}", 3, "a field name", '"é"'],
  ["/{x=}", 5, '"*", "**" or a literal', '"}"'],
  ["/{x=a/}", 7, '"*", "**" or a literal', '"}"'],
  ["/{x={y}}", 5, '"*", "**" or a literal', '"{"'],
  ["/{x=a/{y}}", 7, '"*", "**" or a literal', '"{"'],
  ["/{x=a", 6, '"/" or "}"', "end of template"],
  ["/{x=a:b}", 6, '"/" or "}"', '":"'],
  ["/{x=*=*}", 6, '"/" or "}"', '"="'],
  ["/**/a/**", 7, 'at most one "**"', 'a second "**"'],
  ["/{x=**}/{y=a/**}", 14, 'at most one "**"', 'a second "**"'],
  ["/{x}/a/{x}", 9, "each variable once", '"x" again'],
  ["/{a.b}/{a.b=*}", 9, "each variable once", '"a.b" again'],
  ["/%", 2, '"%" and two hexadecimal digits', '"%"'],
  ["/a%2", 3, '"%" and two hexadecimal digits', '"%2"'],
  ["/a%2gb", 3, '"%" and two hexadecimal digits', '"%2g"'],
  ["/v1:%zz", 5, '"%" and two hexadecimal digits', '"%zz"'],
  ["/a%ff/b", 2, "UTF-8 without NUL", '"a%ff"'],
  ["/%00", 2, "UTF-8 without NUL", '"%00"'],
  ["/a\ud800", 2, "UTF-8 without NUL", '"a\\ud800"'],
];

describe("a template outside the grammar is refused, with column, expected and found", () => {
  test.each(rejected)("%j", (source, column, expected, found) => {
    const error = catchError(() => parseTemplate(source));
    expect(error).toMatchObject({ name: "TemplateError", column, expected, found });
    expect(error.message).toBe(`column ${column}: expected ${expected}, found ${found}`);
  });
});

function catchError(run: () => unknown): TemplateError {
  try {
    run();
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const text = fc.stringMatching(/^(?:[\w.~!$&'()+,;=@-]|%2F|%3A|%E2%82%AC)+$/);
const segment: fc.Arbitrary<Segment> = fc.oneof(
  { weight: 3, arbitrary: text.map(literal) },
  { weight: 2, arbitrary: fc.constant(single) },
  { weight: 1, arbitrary: fc.constant(multi) },
);

/** Templates of up to eight segments, at most one of them `**`, with variables over some of their ranges. */
const template: fc.Arbitrary<Template> = fc
  .tuple(
    fc.array(segment, { maxLength: 8 }),
    fc.array(fc.nat(3), { minLength: 9, maxLength: 9 }),
    fc.option(text, { nil: "" }),
  )
  .map(([all, sizes, verb]) => {
    const first = all.findIndex(({ kind }) => kind === "multi");
    const segments = all.filter(({ kind }, index) => kind !== "multi" || index === first);
    const variables = [];
    for (let start = 0; start < segments.length; start += Math.max(1, sizes[start] ?? 1)) {
      const end = Math.min(segments.length, start + (sizes[start] ?? 0));
      if (end > start) variables.push({ names: [`f${start}`, "g"].slice(0, 1 + (end % 2)), start, end, column: 0 });
    }
    return { segments, variables, verb: segments.length === 0 ? "" : verb };
  });

test("what is printed parses to the same template", () => {
  fc.assert(
    fc.property(template, (expected) => {
      const { segments, variables, verb } = parseTemplate(printTemplate(expected));
      expect({ segments, verb, variables: variables.map((variable) => ({ ...variable, column: 0 })) }).toEqual(
        expected,
      );
    }),
    { numRuns: 2_000 },
  );
});

test("a column points at the variable's field path", () => {
  fc.assert(
    fc.property(template.map(printTemplate), (source) => {
      for (const { column, names } of parseTemplate(source).variables) {
        expect(source.slice(column - 1)).toMatch(new RegExp(`^${names.join("[.]")}[=}]`));
      }
    }),
  );
});

test("any text parses, or is refused as a template", () => {
  const piece = fc.oneof(fc.constantFrom("/", "{", "}", "=", "*", "**", ":", ".", "%", "%2F", "a", "v1"), fc.string());
  const source = fc.array(piece, { maxLength: 20 }).map((pieces) => `/${pieces.join("")}`);
  fc.assert(
    fc.property(source, (any) => {
      let printed: string;
      try {
        printed = printTemplate(parseTemplate(any));
      } catch (error) {
        expect(error).toBeInstanceOf(TemplateError);
        return;
      }
      expect(printTemplate(parseTemplate(printed))).toBe(printed);
    }),
    { numRuns: 5_000 },
  );
});

test("every template of the protos that google-gax brings is parsed, and printed as it was written", () => {
  const folder = "node_modules/google-gax/build/protos/google";
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".proto"));
  const templates = files.flatMap((name) => {
    const rules = readFileSync(join(folder, name), "utf8").matchAll(/^\s*(?:get|put|post|patch|delete): "(.*)"$/gm);
    return [...rules].map(([, source = ""]) => source);
  });
  expect(templates.length).toBeGreaterThan(100);
  expect(templates.map((source) => printTemplate(parseTemplate(source)))).toEqual(templates);
});
