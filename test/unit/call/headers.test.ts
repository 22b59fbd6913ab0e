import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LazyHeaders, toNodeHeaders } from "../../../server/call/headers.js";

type Source = Record<string, string | string[] | undefined>;
type Operation = (headers: Headers) => unknown;

const names = ["x-a", "X-A", "x-b-bin", "content-type", "set-cookie", "accept", "bad name", "", ":path", "__proto__"];
const values = ["", "1", " spaced ", "a, b", "caf\u00e9", "bad\nvalue", "bad\u0100"];

const name = fc.constantFrom(...names);
const value = fc.constantFrom(...values);

/** Everything that Headers can do, as a description and what it does. Errors are results, too. */
const operation: fc.Arbitrary<[description: string, run: Operation]> = fc.oneof(
  name.map((n): [string, Operation] => [`get ${n}`, (h) => h.get(n)]),
  name.map((n): [string, Operation] => [`has ${n}`, (h) => h.has(n)]),
  name.map((n): [string, Operation] => [`delete ${n}`, (h) => h.delete(n)]),
  fc.tuple(name, value).map(([n, v]): [string, Operation] => [`set ${n}=${v}`, (h) => h.set(n, v)]),
  fc.tuple(name, value).map(([n, v]): [string, Operation] => [`append ${n}=${v}`, (h) => h.append(n, v)]),
  fc.constantFrom<[string, Operation]>(
    ["entries", (h) => [...h.entries()]],
    ["iterator", (h) => [...h]],
    ["keys", (h) => [...h.keys()]],
    ["values", (h) => [...h.values()]],
    ["getSetCookie", (h) => h.getSetCookie()],
    ["forEach", (h) => forEach(h)],
    ["new Headers", (h) => [...new Headers(h)]],
  ),
);

const source: fc.Arbitrary<Source> = fc.dictionary(
  fc.constantFrom("x-a", "x-b-bin", "content-type", "set-cookie", "accept", "x-none"),
  fc.oneof(
    fc.constantFrom("", "1", " spaced ", "a, b", "caf\u00e9"),
    fc.array(fc.constantFrom("1", "2"), { minLength: 1 }),
  ),
);

function forEach(headers: Headers): unknown[] {
  const seen: unknown[] = [];
  headers.forEach((value, name, parent) => {
    seen.push([name, value, parent === headers]);
  });
  return seen;
}

/** The plain Headers that the lazy ones are to be like. */
function eager(from: Source): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(from)) {
    for (const one of [value].flat()) if (one !== undefined) headers.append(name, one);
  }
  return headers;
}

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as Error).name;
  }
}

describe("lazy headers", () => {
  test("behave like Headers, for any sequence of calls", () => {
    fc.assert(
      fc.property(source, fc.array(operation, { maxLength: 12 }), (from, operations) => {
        const [lazy, plain] = [new LazyHeaders(from), eager(from)];
        for (const [description, run] of operations) {
          expect([description, outcome(() => run(lazy))]).toEqual([description, outcome(() => run(plain))]);
        }
        expect({ ...toNodeHeaders(lazy) }).toEqual({ ...toNodeHeaders(plain) });
        expect([...lazy]).toEqual([...plain]);
      }),
      { numRuns: 2000 },
    );
  });

  test("are Headers, also to those who take them for such", async () => {
    const lazy = new LazyHeaders({ "x-a": "1" });
    expect(lazy).toBeInstanceOf(Headers);
    expect([...new Request("http://localhost", { headers: lazy }).headers]).toEqual([["x-a", "1"]]);
    expect([...new Response(null, { headers: lazy }).headers]).toEqual([["x-a", "1"]]);
  });

  test("are untouched until they are used, and never change their source", () => {
    const from = { "x-a": "1" };
    const lazy = new LazyHeaders(from);
    expect([lazy.get("X-A"), lazy.has("x-b"), lazy.isTouched]).toEqual(["1", false, false]);
    lazy.set("x-a", "2");
    expect([lazy.isTouched, lazy.get("x-a"), from]).toEqual([true, "2", { "x-a": "1" }]);
  });
});

describe("headers for Node", () => {
  test("have a list where a name repeats", () => {
    const headers = new Headers({ "X-A": "1" });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    headers.append("set-cookie", "c=3");
    headers.append("x-b", "1");
    headers.append("x-b", "2");
    const node = toNodeHeaders(headers);
    expect({ ...node }).toEqual({ "set-cookie": ["a=1", "b=2", "c=3"], "x-a": "1", "x-b": "1, 2" });
  });

  test("may have any name that is a token", () => {
    const node = toNodeHeaders(
      new Headers([
        ["__proto__", "1"],
        ["constructor", "2"],
      ]),
    );
    expect(Object.entries(node)).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
  });

  test("make the same headers again", () => {
    fc.assert(
      fc.property(source, (from) => {
        const headers = eager(from);
        expect([...eager(toNodeHeaders(headers) as Source)]).toEqual([...headers]);
      }),
    );
  });
});

test("each value of a binary header is a header of its own", () => {
  const headers = new Headers({ "x-bin": "AA==, /w" });
  headers.append("x-bin", "");
  headers.append("x-own", "a, b");
  expect({ ...toNodeHeaders(headers) }).toEqual({ "x-bin": ["AA==", "/w", ""], "x-own": "a, b" });
  const lazy = new LazyHeaders({ "y-bin": "AA" });
  lazy.set("x-bin", "AA==,/w");
  expect({ ...toNodeHeaders(lazy) }).toEqual({ "x-bin": ["AA==", "/w"], "y-bin": "AA" });
});
