import { getEventListeners } from "node:events";
import { create, type DescService } from "@bufbuild/protobuf";
import {
  Code,
  type ConnectRouter,
  createClient,
  createRouterTransport,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  HealthCheckRequestSchema,
  Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../gen/grpc/health/v1/health_pb.js";
import { Greeter } from "../../../gen/hello_world_pb.js";
import { createHealth, type Health, type HealthStatus } from "../../../server/operate/health.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN, UNKNOWN } = ServingStatus;

function start(services: readonly DescService[] = [Greeter, TestService]) {
  const health = createHealth(() => services);
  return { health, client: createClient(HealthService, createRouterTransport(health.routes)) };
}

/** A running Watch: its statuses one at a time, and its end. */
function watch(client: ReturnType<typeof start>["client"], service: string, timeoutMs?: number) {
  const call = new AbortController();
  const responses = client.watch({ service }, { signal: call.signal, ...(timeoutMs && { timeoutMs }) });
  const iterator = responses[Symbol.asyncIterator]();
  const next = async () => (await iterator.next()).value?.status;
  return { next, abort: () => call.abort() };
}

describe("Check", () => {
  test.each([
    ["the whole server", ""],
    ["a registered service", "hello_world.Greeter"],
    ["another registered service", "manywire.test.v1.TestService"],
  ])("says SERVING for %s from the start", async (_, service) => {
    expect((await start().client.check({ service })).status).toBe(SERVING);
  });

  test.each<[HealthStatus, ServingStatus]>([
    ["SERVING", SERVING],
    ["NOT_SERVING", NOT_SERVING],
    ["UNKNOWN", UNKNOWN],
  ])("says %s once the application has set it, for that service only", async (status, onTheWire) => {
    const { health, client } = start();
    health.set("hello_world.Greeter", status);
    expect((await client.check({ service: "hello_world.Greeter" })).status).toBe(onTheWire);
    expect((await client.check({ service: "" })).status).toBe(SERVING);
    expect((await client.check({ service: "manywire.test.v1.TestService" })).status).toBe(SERVING);
  });

  test.each(["nobody", "hello_world", "hello_world.greeter", "constructor", "x".repeat(100_000)])(
    "fails with NOT_FOUND for an unknown service (%#), without repeating its name",
    async (service) => {
      const error = { code: Code.NotFound, rawMessage: "unknown service" };
      await expect(start().client.check({ service })).rejects.toMatchObject(error);
    },
  );

  test("knows a name of the application's own once it is set", async () => {
    const { health, client } = start();
    health.set("database", "NOT_SERVING");
    expect((await client.check({ service: "database" })).status).toBe(NOT_SERVING);
  });

  test("knows services that are registered after its own routes", async () => {
    const services: DescService[] = [];
    const { health, client } = start(services);
    health.set("hello_world.Greeter", "NOT_SERVING");
    services.push(Greeter, TestService);
    expect((await client.check({ service: "hello_world.Greeter" })).status).toBe(NOT_SERVING);
    expect((await client.check({ service: "manywire.test.v1.TestService" })).status).toBe(SERVING);
  });
});

describe("Watch", () => {
  test("sends the current status, then each change, and nothing for a status that stays", async () => {
    const { health, client } = start();
    const greeter = watch(client, "hello_world.Greeter");
    expect(await greeter.next()).toBe(SERVING);
    const next = greeter.next();
    health.set("hello_world.Greeter", "SERVING");
    health.set("manywire.test.v1.TestService", "NOT_SERVING");
    health.set("", "NOT_SERVING");
    await new Promise(setImmediate);
    health.set("hello_world.Greeter", "NOT_SERVING");
    expect(await next).toBe(NOT_SERVING);
    health.set("hello_world.Greeter", "SERVING");
    expect(await greeter.next()).toBe(SERVING);
    greeter.abort();
  });

  test("sends SERVICE_UNKNOWN for an unknown service, and its status once it is set", async () => {
    const { health, client } = start();
    const database = watch(client, "database");
    expect(await database.next()).toBe(SERVICE_UNKNOWN);
    const next = database.next();
    health.set("database", "SERVING");
    expect(await next).toBe(SERVING);
    database.abort();
  });

  test("reaches every watcher of a service", async () => {
    const { health, client } = start();
    const watchers = ["", "hello_world.Greeter", "hello_world.Greeter"].map((service) => watch(client, service));
    expect(await Promise.all(watchers.map(({ next }) => next()))).toEqual([SERVING, SERVING, SERVING]);
    health.set("", "UNKNOWN");
    health.set("hello_world.Greeter", "NOT_SERVING");
    expect(await Promise.all(watchers.map(({ next }) => next()))).toEqual([UNKNOWN, NOT_SERVING, NOT_SERVING]);
    for (const { abort } of watchers) abort();
  });

  test("ends when the caller cancels, and when the deadline passes", async () => {
    const { client } = start();
    const cancelled = watch(client, "");
    await cancelled.next();
    cancelled.abort();
    await expect(cancelled.next()).rejects.toMatchObject({ code: Code.Canceled });
    const late = watch(client, "", 20);
    await late.next();
    await expect(late.next()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });
});

/** The implementation that `routes` registers, for tests that pull a Watch by hand. */
function implementationOf(health: Health): ServiceImpl<typeof HealthService> {
  let registered: unknown;
  const router = {
    service(_: DescService, implementation: unknown) {
      registered = implementation;
    },
  };
  health.routes(router as unknown as ConnectRouter);
  return registered as ServiceImpl<typeof HealthService>;
}

describe("a Watch pulled by hand", () => {
  function open(health: Health, service: string) {
    const call = new AbortController();
    const context = { signal: call.signal } as HandlerContext;
    const responses = implementationOf(health).watch(create(HealthCheckRequestSchema, { service }), context);
    return { call, iterator: responses[Symbol.asyncIterator]() };
  }

  test("gets only the latest status after any number of changes between two pulls", async () => {
    const { health } = start();
    const { call, iterator } = open(health, "");
    expect(await iterator.next()).toEqual({ done: false, value: { status: SERVING } });
    for (let i = 0; i < 1000; i++) health.set("", i % 2 ? "NOT_SERVING" : "UNKNOWN");
    expect(await iterator.next()).toEqual({ done: false, value: { status: NOT_SERVING } });
    const next = iterator.next();
    call.abort("gone");
    await expect(next).rejects.toBe("gone");
  });

  test("gets nothing where the status is the one it had", async () => {
    const { health } = start();
    const { call, iterator } = open(health, "");
    await iterator.next();
    health.set("", "NOT_SERVING");
    health.set("", "SERVING");
    const next = iterator.next();
    await new Promise(setImmediate);
    call.abort("nothing was sent");
    await expect(next).rejects.toBe("nothing was sent");
  });

  test("leaves no listener behind, however it ends", async () => {
    const { health } = start();
    const waiting = open(health, "");
    await waiting.iterator.next();
    const next = waiting.iterator.next();
    await new Promise(setImmediate);
    expect(getEventListeners(waiting.call.signal, "abort")).toHaveLength(1);
    waiting.call.abort("gone");
    await expect(next).rejects.toBe("gone");
    expect(getEventListeners(waiting.call.signal, "abort")).toHaveLength(0);

    const returned = open(health, "");
    await returned.iterator.next();
    await returned.iterator.return?.();
    expect(getEventListeners(returned.call.signal, "abort")).toHaveLength(0);
  });
});

describe("List", () => {
  test("names every status, that of the whole server among them", async () => {
    const { health, client } = start();
    health.set("database", "UNKNOWN");
    health.set("hello_world.Greeter", "NOT_SERVING");
    const { statuses } = await client.list({});
    expect(Object.fromEntries(Object.entries(statuses).map(([name, { status }]) => [name, status]))).toEqual({
      "": SERVING,
      "hello_world.Greeter": NOT_SERVING,
      "manywire.test.v1.TestService": SERVING,
      database: UNKNOWN,
    });
  });

  test("returns 100 statuses and fails with RESOURCE_EXHAUSTED at one more", async () => {
    const { health, client } = start([]);
    for (let i = 1; i < 100; i++) health.set(`service-${i}`, "SERVING");
    expect(Object.keys((await client.list({})).statuses)).toHaveLength(100);
    health.set("service-100", "SERVING");
    const error = { code: Code.ResourceExhausted, rawMessage: "List returns at most 100 statuses, found 101" };
    await expect(client.list({})).rejects.toMatchObject(error);
    expect((await client.check({ service: "service-100" })).status).toBe(SERVING);
  });
});

describe("the application's side", () => {
  test("reads what it has set", () => {
    const { health } = start();
    expect([health.get(""), health.get("hello_world.Greeter"), health.get("nobody")]).toEqual([
      "SERVING",
      "SERVING",
      undefined,
    ]);
    health.set("hello_world.Greeter", "NOT_SERVING");
    expect([health.get("hello_world.Greeter"), health.isServing()]).toEqual(["NOT_SERVING", true]);
    health.set("", "UNKNOWN");
    expect([health.get(""), health.isServing()]).toEqual(["UNKNOWN", false]);
  });

  test("shutdown sets NOT_SERVING, reaches the watchers, and is final", async () => {
    const { health, client } = start();
    health.set("database", "SERVING");
    const watchers = ["", "hello_world.Greeter", "database", "nobody"].map((service) => watch(client, service));
    expect(await Promise.all(watchers.map(({ next }) => next()))).toEqual([SERVING, SERVING, SERVING, SERVICE_UNKNOWN]);
    const told = Promise.all(watchers.slice(0, 3).map(({ next }) => next()));
    health.shutdown();
    expect(await told).toEqual([NOT_SERVING, NOT_SERVING, NOT_SERVING]);

    health.set("", "SERVING");
    health.set("nobody", "SERVING");
    expect([health.get(""), health.get("database"), health.get("nobody")]).toEqual([
      "NOT_SERVING",
      "NOT_SERVING",
      undefined,
    ]);
    expect(health.isServing()).toBe(false);
    expect(Object.values((await client.list({})).statuses).map(({ status }) => status)).toEqual(
      Array(4).fill(NOT_SERVING),
    );
    for (const { abort } of watchers) abort();
  });
});
