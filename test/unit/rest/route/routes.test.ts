import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Binding } from "../../../../server/rest/route/binding.js";
import { createRoutes, type RoutingOptions } from "../../../../server/rest/route/routes.js";
import { RestService } from "../../../gen/manywire/test/rest/v1/rest_pb.js";
import { bindingTo } from "../../../support/rest-bindings.js";

function routesTo(routes: readonly string[], options?: RoutingOptions) {
  const bindings = routes.map((route) => bindingTo(RestService.method.query, route));
  return createRoutes(bindings, options);
}

/** What a request finds, as one line: the route with its values, the allowed methods, or nothing. */
function find(routes: readonly string[], request: string, options?: RoutingOptions): string {
  const [method = "", path = ""] = request.split(" ");
  const found = routesTo(routes, options).routes.find(method, path);
  if (found.kind === "found") return [found.binding.label, ...found.captures.map((raw) => `<${raw}>`)].join(" ");
  return found.kind === "no-path" ? "404" : `405 ${found.allowed.join(" ")}`;
}

test("what has been found is found again, and nothing else by it", () => {
  const { routes } = routesTo(["GET /a", "POST /a", "* /b", "GET /c:d", "GET /{text}"]);
  const requests = ["GET /a", "POST /a", "HEAD /a", "PUT /a", "PUT /b", "GET /b", "GET /c:d", "GET /%61", "GET /a/"];
  const findAll = () => requests.map((request) => routes.find(...(request.split(" ") as [string, string])));
  const first = findAll();
  expect(findAll()).toEqual(first);
  expect(first.map((found) => (found.kind === "found" ? found.binding.label : found.kind))).toEqual([
    "GET /a",
    "POST /a",
    "GET /a",
    "wrong-method",
    "* /b",
    "* /b",
    "GET /c:d",
    "GET /a",
    "no-path",
  ]);
});

/** Routes, then what each request finds, with the reason. */
const table: [title: string, routes: string[], requests: [request: string, found: string, reason: string][]][] = [
  [
    "a literal",
    ["GET /", "GET /v1/echo"],
    [
      ["GET /", "GET /", "the root"],
      ["GET /v1/echo", "GET /v1/echo", "the same text"],
      ["GET /v1/Echo", "404", "case counts"],
      ["GET /v1/echo/", "404", "a slash at the end makes another path"],
      ["GET //v1/echo", "404", "as does one at the beginning"],
      ["GET /v1", "404", "a part is not the whole"],
      ["GET /v1/echo/x", "404", "nor is more"],
      ["GET /v1/%65cho", "GET /v1/echo", "unreserved characters may be escaped"],
    ],
  ],
  [
    "escapes in literals",
    ["GET /a%2fb", "GET /c@d", "GET /é", "GET /~x"],
    [
      ["GET /a%2Fb", "GET /a%2fb", "hex digits have no case"],
      ["GET /a/b", "404", "an escaped slash separates nothing"],
      ["GET /c@d", "GET /c@d", "a reserved character is plain"],
      ["GET /c%40d", "404", "and another one when escaped"],
      ["GET /%c3%a9", "GET /é", "UTF-8"],
      ["GET /\u00c3\u00a9", "GET /é", "UTF-8 that was not escaped"],
      ["GET /%7ex", "GET /~x", "unreserved"],
    ],
  ],
  [
    "*",
    ["GET /users/{text}"],
    [
      ["GET /users/a", "GET /users/{text} <a>", "one segment"],
      ["GET /users/", "404", "never an empty one"],
      ["GET /users", "404", "nor none"],
      ["GET /users/a/b", "404", "nor two"],
      ["GET /users/a%2Fb", "GET /users/{text} <a%2Fb>", "an escaped slash is in it"],
      ["GET /users/a:b", "GET /users/{text} <a:b>", "a colon is in it where there is no such verb"],
      ["GET /users/a:", "GET /users/{text} <a:>", "also at its end"],
      ["GET /users/..", "GET /users/{text} <..>", "dots are text"],
    ],
  ],
  [
    "**",
    ["GET /files/{text=**}"],
    [
      ["GET /files", "GET /files/{text=**} <>", "no segment"],
      ["GET /files/", "GET /files/{text=**} <>", "an empty one"],
      ["GET /files/a", "GET /files/{text=**} <a>", "one"],
      ["GET /files/a//b/", "GET /files/{text=**} <a//b/>", "any number of any"],
      ["GET /filesx", "404", "the segment before must be the same"],
    ],
  ],
  [
    "** with a tail",
    ["GET /v1/{text=projects/*/documents/**}/{note}", "GET /x/**/y", "GET /x/**"],
    [
      [
        "GET /v1/projects/p/documents/c",
        "GET /v1/{text=projects/*/documents/**}/{note} <projects/p/documents> <c>",
        "none",
      ],
      [
        "GET /v1/projects/p/documents/a/b/c",
        "GET /v1/{text=projects/*/documents/**}/{note} <projects/p/documents/a/b> <c>",
        "two",
      ],
      ["GET /v1/projects/p/documents", "404", "the tail is needed"],
      ["GET /v1/projects/p/documents/a/", "404", "and its * takes no empty segment"],
      ["GET /x/y", "GET /x/**/y", "the tail alone"],
      ["GET /x/y/y/y", "GET /x/**/y", "the tail repeated"],
      ["GET /x/y/z", "GET /x/**", "no tail"],
      ["GET /x", "GET /x/**", "nothing at all"],
    ],
  ],
  [
    "the most specific of many",
    ["GET /**", "GET /a/**", "GET /a/*", "GET /a/b", "GET /*/b/c", "GET /a/*/c", "GET /a/**/c/d", "GET /a/**/{text}"],
    [
      ["GET /a/b", "GET /a/b", "a literal goes before *"],
      ["GET /a/x", "GET /a/*", "* goes before **"],
      ["GET /a/b/c", "GET /a/*/c", "the first segment decides: /a before /*"],
      ["GET /x/b/c", "GET /*/b/c", "where it does not lead on, * is tried"],
      ["GET /a/b/d", "GET /a/**/{text} <d>", "a longer tail goes before a shorter"],
      ["GET /a/c/d", "GET /a/**/c/d", "and a literal one before another"],
      ["GET /a", "GET /a/**", "** also takes nothing"],
      ["GET /x/b", "GET /**", "back to the beginning"],
      ["GET /", "GET /**", "even there"],
    ],
  ],
  [
    "the method is part of what matches",
    ["GET /users/{text}", "POST /users/me", "DELETE /users/**", "PURGE /users/{text}"],
    [
      ["GET /users/me", "GET /users/{text} <me>", "a more specific route of another method does not hide it"],
      ["POST /users/me", "POST /users/me", "that route"],
      ["DELETE /users/me", "DELETE /users/**", "a less specific one"],
      ["HEAD /users/me", "GET /users/{text} <me>", "HEAD is answered wherever GET is"],
      ["PURGE /users/x", "PURGE /users/{text} <x>", "any method"],
      ["PUT /users/me", "405 DELETE GET HEAD OPTIONS POST PURGE", "all that match the path, in order"],
      ["PUT /users/x/y", "405 DELETE OPTIONS", "no GET, no HEAD"],
      ["get /users/me", "405 DELETE GET HEAD OPTIONS POST PURGE", "case counts"],
      ["OPTIONS /users/x/y", "405 DELETE OPTIONS", "what OPTIONS is answered with"],
    ],
  ],
  [
    "any method",
    ["* /any/{text}", "GET /any/{text}", "* /any/me", "HEAD /any/x"],
    [
      ["GET /any/a", "GET /any/{text} <a>", "the method that is named goes first"],
      ["HEAD /any/a", "GET /any/{text} <a>", "also as HEAD"],
      ["HEAD /any/x", "HEAD /any/x", "unless HEAD is named"],
      ["GET /any/x", "GET /any/{text} <x>", "which answers no GET"],
      ["BREW /any/a", "* /any/{text} <a>", "whatever it is"],
      ["GET /any/me", "* /any/me", "the path decides before the method"],
      ["OPTIONS /any/a", "* /any/{text} <a>", "OPTIONS too"],
    ],
  ],
  [
    "verbs",
    [
      "GET /v1/{text}",
      "POST /v1/{text}:undo",
      "GET /v1/{text=a/**}:list",
      "GET /v1:about",
      "PUT /v1/x:%75ndo",
      "GET /**",
    ],
    [
      ["POST /v1/a:undo", "POST /v1/{text}:undo <a>", "a verb"],
      ["POST /v1/a:b:undo", "POST /v1/{text}:undo <a:b>", "the last colon begins it"],
      ["POST /v1/a%3Aundo", "405 GET HEAD OPTIONS", "an escaped colon begins none"],
      ["POST /v1/:undo", "405 GET HEAD OPTIONS", "nothing before it is an empty segment"],
      ["GET /v1/a:undo", "GET /v1/{text} <a:undo>", "a verb of another method is text"],
      ["PUT /v1/x:undo", "PUT /v1/x:%75ndo", "verbs are normalised"],
      ["PUT /v1/x:und%6f", "PUT /v1/x:%75ndo", "on both sides"],
      ["PATCH /v1/a:undo", "405 OPTIONS POST", "those of the verb alone"],
      ["GET /v1/a:list", "GET /v1/{text=a/**}:list <a>", "after **"],
      ["GET /v1/a/b/c:list", "GET /v1/{text=a/**}:list <a/b/c>", "after segments of **"],
      ["GET /v1:about", "GET /v1:about", "after a literal"],
      ["GET /v1:other", "GET /**", "an unknown verb is text"],
      ["GET /v1/a:b/c", "GET /**", "only the last segment has a verb"],
    ],
  ],
];

describe.each(table)("%s", (_, routes, requests) => {
  test.each(requests)("%s finds %s: %s", (request, found) => {
    expect(find(routes, request)).toBe(found);
  });
});

test("without routes no path is found", () => {
  expect(find([], "GET /")).toBe("404");
});

const trimmed: [request: string, found: string][] = [
  ["GET /users/a/", "GET /users/{text} <a>"],
  ["GET /users/a//", "404"],
  ["GET /users/", "405 OPTIONS POST"],
  ["GET /", "404"],
  ["GET /files/a/", "GET /files/{text=**} <a/>"],
];

test.each(trimmed)("where a slash at the end may be ignored, %s finds %s", (request, found) => {
  const routes = ["GET /users/{text}", "POST /users", "GET /files/{text=**}"];
  expect(find(routes, request, { ignoreTrailingSlash: true })).toBe(found);
});

const conflicts: [routes: string[], problems: string[]][] = [
  [
    ["GET /a/{text}", "GET /a/*"],
    ["GET /a/*: expected a route that no other method has, found the same as GET /a/{text}"],
  ],
  [
    ["GET /a/{text=b/*}:c", "GET /a/b/{note}:c", "GET /a/b/{note}"],
    ["GET /a/b/{note}:c: expected a route that no other method has, found the same as GET /a/{text=b/*}:c"],
  ],
  [["GET /%61", "GET /a"], ["GET /a: expected a route that no other method has, found the same as GET /%61"]],
  [["GET /a", "POST /a", "* /a", "GET /a/*", "GET /a/**", "GET /a/**/*", "GET /A"], []],
];

test.each(conflicts)("%j conflict: %j", (routes, problems) => {
  expect(routesTo(routes).problems.map(({ text }) => text)).toEqual(problems);
});

/** What matches a pattern, said in the plainest way: the regular expression that routes must not be made of. */
function matches({ template, httpMethod }: Binding, method: string, path: string): boolean {
  const pieces = template.segments.map((segment) => {
    if (segment.kind === "literal") return `/${segment.text}`;
    return segment.kind === "single" ? "/[^/]+" : "(?:/[^/]*)*";
  });
  const verb = template.verb === "" ? "" : `:${template.verb}`;
  const pattern = new RegExp(`^${pieces.join("") || "/?"}${verb}$`);
  return httpMethod === method && (pattern.test(path) || (path === "/" && pattern.test("")));
}

test("a route is found exactly if one matches, and its captures are a way to match", () => {
  const segment = fc.constantFrom("a", "b", "*", "**", "a:b");
  const route = fc
    .tuple(fc.constantFrom("GET", "POST"), fc.array(segment, { maxLength: 5 }), fc.constantFrom("", ":a", ":b"))
    .filter(([, segments]) => segments.filter((text) => text === "**").length < 2 && segments.at(-1) !== "a:b")
    .map(([method, segments, verb]) => `${method} /${segments.join("/")}${segments.length > 0 ? verb : ""}`);
  const path = fc
    .array(fc.constantFrom("a", "b", "c", "", "a:b", "b:a", ":a"), { maxLength: 6 })
    .map((segments) => `/${segments.join("/")}`);
  fc.assert(
    fc.property(
      fc.uniqueArray(route, { maxLength: 12 }),
      fc.constantFrom("GET", "POST", "PUT"),
      path,
      (all, method, any) => {
        const known = all.map((text) => bindingTo(RestService.method.query, text));
        const found = createRoutes(known).routes.find(method, any);
        const candidates = known.filter((binding) => matches(binding, method, any));
        expect(candidates.length > 0).toBe(found.kind === "found");
        const isCandidate = found.kind !== "found" || candidates.includes(found.binding);
        expect(isCandidate).toBe(true);
      },
    ),
    { numRuns: 5_000 },
  );
});
