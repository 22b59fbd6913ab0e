import { expect, test } from "vitest";
import { bindRule } from "../../../../server/rest/route/binding.js";
import { createRoutes, type Routes } from "../../../../server/rest/route/routes.js";
import { googleapisCount, googleapisRules, pathOf } from "../googleapis.js";

const rules = googleapisRules(googleapisCount);
const requests = rules.map((rule) => [rule.httpMethod, pathOf(rule)] as const);

function routesOf(count: number): Routes {
  return createRoutes(rules.slice(0, count).map(bindRule)).routes;
}

/** Nanoseconds a look-up: the best of many short rounds, taken in turn, because the machine has other work too. */
function timeLookups(tables: readonly Routes[], paths: readonly (readonly [string, string])[]): number[] {
  const turns = 200;
  const rounds = Array.from({ length: 100 }, () =>
    tables.map((routes) => {
      const start = performance.now();
      for (let turn = 0; turn < turns; turn += 1) for (const [method, path] of paths) routes.find(method, path);
      return ((performance.now() - start) * 1e6) / (turns * paths.length);
    }),
  );
  return tables.map((_, index) => Math.min(...rounds.map((times) => times[index] ?? Number.NaN)));
}

test("13,833 routes are built in under a second and 100 MB, and every one is found", () => {
  const heapBytes = process.memoryUsage().heapUsed;
  const start = process.cpuUsage();
  const { routes, problems } = createRoutes(rules.map(bindRule));
  const { user, system } = process.cpuUsage(start);
  const builtBytes = process.memoryUsage().heapUsed - heapBytes;
  expect(problems).toEqual([]);
  expect((user + system) / 1_000).toBeLessThan(1_000);
  expect(builtBytes).toBeLessThan(100e6);
  const lost = requests.filter(([method, path], index) => {
    const found = routes.find(method, path);
    return found.kind !== "found" || found.binding.label !== rules[index]?.label;
  });
  expect(lost).toEqual([]);
});

test("the same requests cost the same among 13,833 routes as among 10", () => {
  const [few = 0, many = 0] = timeLookups([routesOf(10), routesOf(googleapisCount)], requests.slice(0, 10));
  expect(many / few).toBeLessThan(1.5);
});

const deep = "/a".repeat(32_000);
test.each([
  "/".repeat(64_000),
  `/v1/projects${deep}`,
  `/v1/projects/p/shelves0${deep}:download`,
  `/v1${"/a:b".repeat(16_000)}`,
  `/v1/projects${"/%41".repeat(16_000)}`,
])("a path of 64,000 characters, number %$, is matched in linear time", (path) => {
  const routes = routesOf(1_000);
  const times = Array.from({ length: 5 }, () => {
    // Not wall time: the machine may be busy.
    const start = process.cpuUsage();
    routes.find("GET", path);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  expect(Math.min(...times)).toBeLessThan(50);
});

test("a path is matched in linear time among routes that differ in * at every segment", () => {
  const patterns = Array.from({ length: 1_024 }, (_, bits) =>
    Array.from({ length: 10 }, (_, segment) => ((bits >> segment) & 1 ? "a" : "*")).join("/"),
  );
  const [first] = rules;
  if (first === undefined) throw new Error("there are no rules");
  const all = patterns.map((pattern) => bindRule({ ...first, template: `/${pattern}/x`, label: pattern }));
  const { routes } = createRoutes(all);
  const start = performance.now();
  expect(routes.find("GET", `${"/a".repeat(10)}/y`).kind).toBe("no-path");
  expect(performance.now() - start).toBeLessThan(50);
});
