import { describe, expect, test } from "vitest";
import { bindRule } from "../../../../server/rest/route/binding.js";
import { createRoutes } from "../../../../server/rest/route/routes.js";
import { findUnreachable } from "../../../../server/rest/route/unreachable.js";
import { RestService } from "../../../gen/manywire/test/rest/v1/rest_pb.js";
import { bindings as testBindings } from "../../../support/rest-bindings.js";
import { googleapisCount, googleapisRules } from "../googleapis.js";

/** What is said of routes, each `METHOD /template` with fields of Resource. */
function find(routes: readonly string[], ownPaths: readonly string[] = []): string[] {
  const bindings = routes.map((route) => {
    const [httpMethod = "", template = ""] = route.split(" ");
    return bindRule({
      method: RestService.method.template,
      httpMethod,
      template,
      body: "",
      responseBody: "",
      label: route,
    });
  });
  return findUnreachable(bindings, createRoutes(bindings).routes, new Set(ownPaths));
}

const none = "no request can reach this route";
const shortest = 'only requests with nothing at its "**" reach this route';

describe("a route that others take all paths of is named", () => {
  test.each<[reason: string, routes: string[], found: string[]]>([
    [
      "a list of documents takes every document",
      ["GET /v1/{name=documents/*/**}", "GET /v1/{name=documents/*/**}/{collection}"],
      [`GET /v1/{name=documents/*/**}: ${shortest}: GET /v1/{name=documents/*/**}/{collection} takes the others`],
    ],
    [
      "two together",
      [
        "GET /v1/{name=a/*/**}",
        "GET /v1/{name=a/*/**}/{collection}",
        "GET /v1/{name=a}/{collection}",
        "GET /v1/{name=a/**}",
      ],
      [
        `GET /v1/{name=a/*/**}: ${none}: GET /v1/{name=a/*/**}/{collection} and GET /v1/{name=a}/{collection} take its paths`,
        `GET /v1/{name=a/**}: ${shortest}: GET /v1/{name=a}/{collection} and GET /v1/{name=a/*/**}/{collection} take the others`,
      ],
    ],
    ["a literal after any number", ["GET /a/**", "GET /a/**/b"], []],
    ["one segment", ["GET /a/**", "GET /a/*"], []],
    ["one segment and more", ["GET /a/**", "GET /a/*/**"], [`GET /a/**: ${shortest}: GET /a/*/** takes the others`]],
    ["another method", ["POST /a/**", "GET /a/**/{name}"], []],
    ["any method by one", ["* /a/**", "GET /a/**/{name}"], []],
    ["one method by any", ["GET /a/**", "* /a/**/{name}"], [`GET /a/**: ${shortest}: * /a/**/{name} takes the others`]],
    ["a verb", ["GET /a/**:v", "GET /a/**/{name}"], []],
    [
      "the same verb",
      ["GET /a/**:v", "GET /a/**/{name}:v"],
      [`GET /a/**:v: ${shortest}: GET /a/**/{name}:v takes the others`],
    ],
    ["long templates", ["GET /a/**", "GET /a/*/*/*/*/*/*"], []],
    ["no wildcards", ["GET /a/b", "GET /a/*", "GET /*/b", "GET /{name=**}"], []],
  ])("%s", (_, routes, found) => {
    expect(find(routes)).toEqual(found);
  });
});

test("a route at a path that the server itself serves is named", () => {
  const own = ["/healthz", "/hello_world.Greeter/SayHello"];
  expect(
    find(["GET /healthz", "POST /hello_world.Greeter/SayHello", "GET /{name}", "GET /**", "GET /healthz:now"], own),
  ).toEqual([
    "GET /healthz: no request can reach this route: the server itself serves /healthz",
    "POST /hello_world.Greeter/SayHello: no request can reach this route: the server itself serves /hello_world.Greeter/SayHello",
  ]);
});

test("every route of the test service can be reached", () => {
  expect(findUnreachable(testBindings, createRoutes(testBindings).routes)).toEqual([]);
});

test("13,833 routes are checked in less than half a second", () => {
  const bindings = googleapisRules(googleapisCount).map(bindRule);
  const { routes } = createRoutes(bindings);
  const start = process.cpuUsage();
  expect(findUnreachable(bindings, routes)).toEqual([]);
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(500);
});
