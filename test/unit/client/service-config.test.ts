// gRPC's service config: what is read of it, which method gets what, and how an invalid one is refused.
import type { JsonValue } from "@bufbuild/protobuf";
import { describe, expect, onTestFinished, test } from "vitest";
import { Code, createClient, createTransport } from "../../../client/index.js";
import { findMethodConfig, parseServiceConfig } from "../../../client/service-config.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { startServer } from "../../support/server.js";

const service = "manywire.test.v1.TestService";
const policy = {
  maxAttempts: 4,
  initialBackoff: "0.1s",
  maxBackoff: "1s",
  backoffMultiplier: 2,
  retryableStatusCodes: ["UNAVAILABLE"],
};
const withPolicy = (change: JsonValue) => ({
  methodConfig: [{ name: [{}], retryPolicy: typeof change === "object" ? { ...policy, ...change } : change }],
});

describe("a service config", () => {
  test("is read with its policies", () => {
    const { methodConfigs, retryThrottling, loadBalancing } = parseServiceConfig({
      loadBalancingConfig: [{ weighted_target: {} }, { round_robin: {} }, { pick_first: {} }],
      methodConfig: [
        { name: [{ service, method: "Unary" }], timeout: "1.5s", waitForReady: true },
        { name: [{ service }], retryPolicy: { ...policy, retryableStatusCodes: ["unavailable", 8] } },
        { name: [{}], waitForReady: false },
      ],
      retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
    });
    expect([...methodConfigs]).toEqual([
      [`${service}/Unary`, { timeoutMs: 1500, waitsForReady: true, retryPolicy: undefined }],
      [
        `${service}/`,
        {
          timeoutMs: undefined,
          waitsForReady: undefined,
          retryPolicy: {
            maxAttempts: 4,
            initialBackoffMs: 100,
            maxBackoffMs: 1000,
            backoffMultiplier: 2,
            codes: new Set([Code.Unavailable, Code.ResourceExhausted]),
          },
        },
      ],
      ["/", { timeoutMs: undefined, waitsForReady: false, retryPolicy: undefined }],
    ]);
    expect(retryThrottling).toEqual({ maxTokens: 10, tokenRatio: 0.1 });
    expect(loadBalancing).toBe("round_robin");
  });

  test.each([
    ["the method's own", [{ service, method: "Unary" }, { service }, {}], 0],
    ["its service's", [{ service, method: "Get" }, { service }, {}], 1],
    ["the default one", [{ service: "other.Service" }, { service: "manywire.test.v1" }, {}], 2],
    ["the default one, whose names are empty strings", [{ service: "", method: "" }], 0],
  ])("gives a method %s", (_, names, index) => {
    const methodConfig = names.map((name, at) => ({ name: [name], timeout: `${at + 1}s` }));
    const found = findMethodConfig(parseServiceConfig({ methodConfig }), TestService.method.unary);
    expect(found?.timeoutMs).toBe((index + 1) * 1000);
  });

  test("says nothing of a method that it does not name", () => {
    const config = parseServiceConfig({ methodConfig: [{ name: [{ service: "other.Service" }, { service: "x" }] }] });
    expect(findMethodConfig(config, TestService.method.unary)).toBeUndefined();
  });

  test.each<[string, JsonValue]>([
    ["it is empty", {}],
    ["its members are null", { methodConfig: null, retryThrottling: null, loadBalancingConfig: null }],
    ["members are unknown", { healthCheckConfig: { serviceName: "x" }, methodConfig: [{ name: [], future: 1 }] }],
    ["no policy is listed", { loadBalancingConfig: [] }],
  ])("is read if %s", (_, config) => {
    const { methodConfigs, ...others } = parseServiceConfig(config);
    expect(methodConfigs.size).toBe(0);
    expect(others).toEqual({ retryThrottling: undefined, loadBalancing: undefined });
  });

  test.each([
    ["1s", 1000],
    ["0.25s", 250],
    [".5s", 500],
    ["3.s", 3000],
    ["0.000001s", 0.001],
    ["315576000000s", 315_576_000_000_000],
  ])("has the duration %s", (timeout, ms) => {
    const { methodConfigs } = parseServiceConfig({ methodConfig: [{ name: [{}], timeout }] });
    expect(methodConfigs.get("/")?.timeoutMs).toBeCloseTo(ms, 9);
  });

  test("has at most five attempts", () => {
    const { methodConfigs } = parseServiceConfig(withPolicy({ maxAttempts: 50 }));
    expect(methodConfigs.get("/")?.retryPolicy?.maxAttempts).toBe(5);
  });
});

test.each([
  ["by the first policy of the service config that is known", {}, 4],
  ["by the option, where it is given", { loadBalancing: "pick_first" }, 8],
] as const)("calls are balanced %s", async (_, options, most) => {
  const servers = await Promise.all([startServer(), startServer()]);
  const transport = createTransport({
    ...{ protocol: "connect", baseUrl: "http://localhost", addresses: servers.map(({ port }) => `127.0.0.1:${port}`) },
    serviceConfig: { loadBalancingConfig: [{ grpclb: {} }, { round_robin: {} }] },
    ...options,
  });
  onTestFinished(async () => {
    transport.close();
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  const client = createClient(TestService, transport);
  // Until both are connected, those that are get all.
  await expect
    .poll(() => client.unary({}).then(() => servers.filter(({ sockets }) => sockets.size > 0).length))
    .toBe(most === 4 ? 2 : 1);
  const before = servers.map(({ finished }) => finished.length);
  for (let count = 0; count < 8; count++) await client.unary({});
  expect(Math.max(...servers.map(({ finished }, index) => finished.length - (before[index] ?? 0)))).toBe(most);
});

const duration = 'expected a duration above 0, such as "1.5s"';
const first = "serviceConfig.methodConfig[0]";

const refused: [config: JsonValue, error: string][] = [
  ["{}", 'serviceConfig: expected an object, found "{}"'],
  [[], "serviceConfig: expected an object, found an array"],
  [null, "serviceConfig: expected an object, found null"],
  [{ methodConfig: {} }, "serviceConfig.methodConfig: expected an array, found an object"],
  [{ methodConfig: [1] }, `${first}: expected an object, found 1`],
  [{ methodConfig: [{}] }, `${first}.name: expected an array, found undefined`],
  [{ methodConfig: [{ name: [""] }] }, `${first}.name[0]: expected an object, found ""`],
  [{ methodConfig: [{ name: [{ service: 1 }] }] }, `${first}.name[0].service: expected a string, found 1`],
  [{ methodConfig: [{ name: [{ service, method: 1 }] }] }, `${first}.name[0].method: expected a string, found 1`],
  [
    { methodConfig: [{ name: [{ method: "A" }] }] },
    `${first}.name[0].service: expected the service of method "A", found none`,
  ],
  [
    { methodConfig: [{ name: [{ service }] }, { name: [{}, { service, method: "" }] }] },
    `serviceConfig.methodConfig[1].name[1]: expected another name than ${first}.name[0] has`,
  ],
  [{ methodConfig: [{ name: [{}, {}] }] }, `${first}.name[1]: expected another name than ${first}.name[0] has`],
  [{ methodConfig: [{ name: [], timeout: 1 }] }, `${first}.timeout: ${duration}, found 1`],
  [{ methodConfig: [{ name: [], timeout: "1" }] }, `${first}.timeout: ${duration}, found "1"`],
  [{ methodConfig: [{ name: [], timeout: "-1s" }] }, `${first}.timeout: ${duration}, found "-1s"`],
  [{ methodConfig: [{ name: [], timeout: "0s" }] }, `${first}.timeout: ${duration}, found "0s"`],
  [{ methodConfig: [{ name: [], timeout: ".s" }] }, `${first}.timeout: ${duration}, found ".s"`],
  [{ methodConfig: [{ name: [], timeout: "1.0000000001s" }] }, `${first}.timeout: ${duration}, found "1.0000000001s"`],
  [{ methodConfig: [{ name: [], waitForReady: 1 }] }, `${first}.waitForReady: expected true or false, found 1`],
  [
    { methodConfig: [{ name: [], hedgingPolicy: {} }] },
    `${first}.hedgingPolicy: hedging is not supported; retryPolicy is`,
  ],
  [withPolicy(1), `${first}.retryPolicy: expected an object, found 1`],
  ...[1, 2.5, "4", null].map((maxAttempts): [JsonValue, string] => [
    withPolicy({ maxAttempts }),
    `${first}.retryPolicy.maxAttempts: expected a whole number of at least 2, found ${JSON.stringify(maxAttempts)}`,
  ]),
  [withPolicy({ initialBackoff: null }), `${first}.retryPolicy.initialBackoff: ${duration}, found null`],
  [withPolicy({ maxBackoff: "soon" }), `${first}.retryPolicy.maxBackoff: ${duration}, found "soon"`],
  [withPolicy({ backoffMultiplier: 0 }), `${first}.retryPolicy.backoffMultiplier: expected a number above 0, found 0`],
  [
    withPolicy({ retryableStatusCodes: [] }),
    `${first}.retryPolicy.retryableStatusCodes: expected at least one status code, found none`,
  ],
  ...["CANCELED", "", 0, 17, 1.5, true].map((code): [JsonValue, string] => [
    withPolicy({ retryableStatusCodes: ["UNAVAILABLE", code] }),
    `${first}.retryPolicy.retryableStatusCodes[1]: expected a status code such as "UNAVAILABLE" or 14, found ${JSON.stringify(code)}`,
  ]),
  [{ retryThrottling: [] }, "serviceConfig.retryThrottling: expected an object, found an array"],
  [
    { retryThrottling: { maxTokens: 0, tokenRatio: 1 } },
    "serviceConfig.retryThrottling.maxTokens: expected a number above 0, found 0",
  ],
  [
    { retryThrottling: { maxTokens: 1001, tokenRatio: 1 } },
    "serviceConfig.retryThrottling.maxTokens: expected at most 1000, found 1001",
  ],
  [
    { retryThrottling: { maxTokens: 10 } },
    "serviceConfig.retryThrottling.tokenRatio: expected a number above 0, found undefined",
  ],
  [{ loadBalancingConfig: {} }, "serviceConfig.loadBalancingConfig: expected an array, found an object"],
  [{ loadBalancingConfig: [{}] }, "serviceConfig.loadBalancingConfig[0]: expected one member, the policy, found none"],
  [
    { loadBalancingConfig: [{ a: {}, b: {} }] },
    "serviceConfig.loadBalancingConfig[0]: expected one member, the policy, found a, b",
  ],
  [
    { loadBalancingConfig: [{ grpclb: {} }, { ring_hash: {} }] },
    'serviceConfig.loadBalancingConfig: expected one of pick_first, round_robin, least_pending, found "grpclb", "ring_hash"',
  ],
];

test.each(refused)("%j is refused", (config, error) => {
  expect(() => parseServiceConfig(config)).toThrow(
    expect.objectContaining({ name: "TransportOptionError", message: error }),
  );
});
