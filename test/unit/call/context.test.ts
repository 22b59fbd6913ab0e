import { createContextKey, createContextValues } from "@connectrpc/connect";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ownSignal } from "../../../server/call/context.js";
import { TestService } from "../../gen/manywire/test/v1/test_pb.js";
import { openContext } from "./support.js";

afterEach(() => {
  vi.useRealTimers();
});

describe("the context of a call", () => {
  test("has the properties of Connect's own as its own, so that it can be spread", () => {
    const context = ownSignal(openContext());
    const { method, service, protocolName, requestMethod, url, ...rest } = { ...context };
    expect(method).toBe(TestService.method.unary);
    expect(service).toBe(TestService);
    expect([protocolName, requestMethod, url]).toEqual(["grpc", "POST", "http://localhost/x"]);
    const names = ["requestHeader", "responseHeader", "responseTrailer", "signal", "timeoutMs", "values"];
    expect(Object.keys(rest).sort()).toEqual(names);
    expect(rest.signal).toBeInstanceOf(AbortSignal);
  });

  test("has one signal, however often it is asked for", () => {
    const context = openContext();
    const { signal } = context;
    expect(context.signal).toBe(signal);
    expect({ ...ownSignal(context) }.signal).toBe(signal);
  });

  test("fires its signal with the first reason, also if it is read later", () => {
    const early = openContext();
    const { signal } = early;
    early.abort("first");
    early.abort("second");
    expect([signal.aborted, signal.reason]).toEqual([true, "first"]);
    const late = openContext();
    late.abort("first");
    late.abort("second");
    expect([late.signal.aborted, late.signal.reason]).toEqual([true, "first"]);
  });

  test("fires its signal as Node does, if there is no reason", () => {
    const context = openContext();
    context.abort();
    expect(context.signal.reason).toMatchObject({ name: "AbortError" });
  });

  test("counts down its timeout", () => {
    vi.useFakeTimers();
    const context = openContext({ deadlineMs: performance.now() + 500 });
    expect(context.timeoutMs()).toBe(500);
    vi.advanceTimersByTime(200);
    expect(context.timeoutMs()).toBe(300);
    vi.advanceTimersByTime(500);
    expect(context.timeoutMs()).toBe(-200);
    expect(openContext().timeoutMs()).toBeUndefined();
  });

  test("has the values that it was given, or its own", () => {
    const key = createContextKey("default");
    expect(openContext({ values: createContextValues().set(key, "given") }).values.get(key)).toBe("given");
    const [a, b] = [openContext().values, openContext().values];
    expect(a.get(key)).toBe("default");
    a.set(key, "set");
    expect([a.get(key), b.get(key)]).toEqual(["set", "default"]);
    a.delete(key);
    expect(a.get(key)).toBe("default");
  });

  test("distinguishes a value of undefined from no value", () => {
    const key = createContextKey<string | undefined>("default");
    const { values } = openContext();
    values.set(key, undefined);
    expect(values.get(key)).toBeUndefined();
  });
});
