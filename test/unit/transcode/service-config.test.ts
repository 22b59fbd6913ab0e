// A service configuration as Google publishes it, with mixins of services that are not served here.
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createServer } from "../../../server/index.js";
import { ResourceSchema, RestService } from "../../gen/manywire/test/rest/v1/rest_pb.js";
import { request } from "../../support/http.js";
import { echoing } from "../../support/rest-service.js";

const service = RestService.typeName;

const published = `
type: google.api.Service
config_version: 3
name: rest.example.com
title: Example API

apis:
- name: ${service}
- name: google.cloud.location.Locations
- name: google.iam.v1.IAMPolicy
- name: google.longrunning.Operations

types:
- name: google.rpc.Status

documentation:
  summary: Serves resources.
  rules:
  - selector: google.longrunning.Operations.GetOperation
    description: Gets an operation.

backend:
  rules:
  - selector: '${service}.*'
    deadline: 60.0

http:
  rules:
  - selector: google.cloud.location.Locations.GetLocation
    get: '/v1/{name=projects/*/locations/*}'
  - selector: google.iam.v1.IAMPolicy.SetIamPolicy
    post: '/v1/{resource=projects/*/instances/*}:setIamPolicy'
    body: '*'
    additional_bindings:
    - post: '/v1/{resource=projects/*/databases/*}:setIamPolicy'
      body: '*'
  - selector: google.longrunning.Operations.GetOperation
    get: '/v1/{name=projects/*/operations/*}'
  - selector: google.longrunning.Operations.ListOperations
    get: '/v1/{name=projects/*/operations}'
  - selector: ${service}.Unrouted
    get: '/v2/{name=things/*}'

authentication:
  rules:
  - selector: '${service}.*'
    oauth:
      canonical_scopes: https://www.googleapis.com/auth/cloud-platform

publishing:
  method_settings:
  - selector: ${service}.Unrouted
    long_running:
      initial_poll_delay: 60s
  new_issue_uri: https://issuetracker.example.com
  client_libraries:
  - version: google.rest.v1
`;

function createRestServer(httpRules: unknown, options: object = {}) {
  const warnings: string[] = [];
  const implementation: Partial<ServiceImpl<typeof RestService>> = {
    ...echoing,
    unrouted: ({ name }) => create(ResourceSchema, { name }),
  };
  const server = createServer({
    ...options,
    port: 0,
    httpRules: httpRules as never,
    onWarning: (message) => warnings.push(message),
    routes: (router) => router.service(RestService, implementation),
  });
  return { server, warnings };
}

describe("a published service configuration", () => {
  test("is served, and one warning names the services that are not", async () => {
    const { server, warnings } = createRestServer(parse(published));
    expect(warnings).toEqual([
      "http rules: ignored those of services that are not served: google.cloud.location.Locations, google.iam.v1.IAMPolicy, google.longrunning.Operations",
    ]);
    await server.listen();
    const answer = await request(server.url, { method: "GET", path: "/v2/things/a" });
    expect([answer.status, answer.text]).toEqual([200, '{"name":"things/a"}']);
    await server.close();
  });

  test("stops the start where it names a method that a served service does not have", () => {
    const wrong = published.replace(`${service}.Unrouted\n    get`, `${service}.Unruoted\n    get`);
    expect(() => createRestServer(parse(wrong))).toThrow(
      `${service}.Unruoted: http rule: expected the name of a method that is served, found no such method`,
    );
  });

  test("may have no rules", () => {
    expect(createRestServer(parse(published.replace(/^http:[\s\S]*(?=^authentication:)/m, ""))).warnings).toEqual([]);
  });
});

test("routes that cannot be reached are warnings, and the server starts", () => {
  const rules = [
    { selector: `${service}.Unrouted`, get: "/healthz" },
    {
      selector: `${service}.Template`,
      get: "/v9/{name=a/**}",
      additional_bindings: [{ get: "/v9/{name=a/**}/{collection}" }],
    },
  ];
  expect(createRestServer({ rules }).warnings).toEqual([
    `${service}.Template: http rule get "/v9/{name=a/**}": only requests with nothing at its "**" reach this route: ${service}.Template: http rule get "/v9/{name=a/**}/{collection}" takes the others`,
    `${service}.Unrouted: http rule get "/healthz": no request can reach this route: the server itself serves /healthz`,
  ]);
});

test("options that name no method and no parameter stop the start", () => {
  expect(() => createRestServer(undefined, { rest: { withoutRoutes: ["a.B.C"] } })).toThrow(
    new RangeError('rest.withoutRoutes: expected the name of a method that is served, found "a.B.C"'),
  );
  expect(() => createRestServer(undefined, { rest: { ignoredParameters: ["a*b"] } })).toThrow(
    new RangeError('rest.ignoredParameters: expected names, with "*" at most at the end, found "a*b"'),
  );
});
