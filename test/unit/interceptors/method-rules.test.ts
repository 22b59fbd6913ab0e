import { expect, test } from "vitest";
import { MethodRules } from "../../../server/interceptors/method-rules.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";

const service = TestService.typeName;
const { unary, serverStream } = TestService.method;

test.each<[methods: (string | string[])[], expected: number | undefined, reason: string]>([
  [[], undefined, "there is no rule"],
  [["*"], 0, "all methods"],
  [[`${service}/*`], 0, "all methods of the service"],
  [[`${service}/Unary`], 0, "the method"],
  [[[`${service}/Get`, `${service}/Unary`]], 0, "one of a list"],
  [[`${service}/Unary`, `${service}/*`, "*"], 0, "the most exact pattern counts, wherever it stands"],
  [["*", `${service}/*`], 1, "a service before all"],
  [["*", "*"], 1, "the later of two with one pattern"],
  [[`${service}/Get`, "manywire.test.v1.Other/*", "manywire.test.v1.Other/Unary"], undefined, "others"],
  [[`${service}/unary`, "manywire.test.v1/*"], undefined, "names are case-sensitive and whole"],
])("of rules for %j the one for Unary is %j: %s", (methods, expected) => {
  const rules = methods.map((each) => ({ methods: each }));
  const compiled = new MethodRules("rules", rules);
  for (let round = 0; round < 2; round++) {
    expect(compiled.find(unary)).toBe(expected === undefined ? undefined : rules[expected]);
  }
});

test("methods of one service may have different rules", () => {
  const rules = new MethodRules("rules", [
    { methods: "*", name: "all" },
    { methods: `${service}/Unary`, name: "one" },
  ]);
  expect([unary, serverStream].map((method) => rules.find(method)?.name)).toEqual(["one", "all"]);
});

test.each([
  ["*", undefined],
  [`${service}/*`, undefined],
  [`${service}/Unary`, undefined],
  [`${service}/Unery`, `did you mean "${service}/Unary"?`],
  ["manywire.test.v1.TestServise/*", `did you mean "${service}/*"?`],
])("the pattern %s: %s", (methods, suggestion) => {
  const unmatched = new MethodRules("jwt: rules", [{ methods }]).listUnmatched(TestService.methods);
  expect(unmatched).toEqual(
    suggestion === undefined ? [] : [`jwt: rules: "${methods}" matches no method: ${suggestion}`],
  );
});

const forms = "package.Service/Method, package.Service/* or *";

test.each<[rules: unknown, message: string]>([
  [{}, "rules: expected an array, found an object"],
  [["*"], 'rules[0]: expected a rule such as { methods: "*" }, found "*"'],
  [[{ methods: "*" }, {}], `rules[1].methods: expected ${forms}, found undefined`],
  [[{ methods: ["*", 1] }], `rules[0].methods: expected ${forms}, found 1`],
  ...["", "Service", "a.Service.Method", "/a.Service/Method", "a.*/Method", "a.Service/M*", "**", " *"].map(
    (methods): [unknown, string] => [[{ methods }], `rules[0].methods: expected ${forms}, found "${methods}"`],
  ),
])("%j: %s", (rules, message) => {
  expect(() => new MethodRules("rules", rules as [])).toThrow(new TypeError(message));
});
