import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import type { FinishedCall } from "../../../server/call/observer.js";
import { createLogger, type LogLevel, logCalls, logConnectionErrors, prettify } from "../../../server/operate/log.js";

/** An error as HTTP libraries throw them: the request hangs on it, and the packet that could not be read. */
function createAccident(): Error {
  const inner = Object.assign(new TypeError("connect refused"), { code: "ECONNREFUSED" });
  const error = new Error("no greeting today", { cause: inner });
  return Object.assign(error, { config: { headers: { authorization: "s3cret" } }, rawPacket: Buffer.from("s3cret") });
}

const contextValues = createContextValues();
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
/** What each line of a call has besides its method, protocol, code and duration. */
const known = { requestId: "r-1", peer: "127.0.0.1", bytesReceived: 7, bytesSent: 9 };

function finish(
  code?: Code,
  cause?: unknown,
  warnings: readonly string[] = [],
  headers: FinishedCall["request"]["headers"] = {},
): FinishedCall {
  const error = code === undefined ? undefined : new ConnectError("s3cret", code, undefined, undefined, cause);
  const method = { path: "/hello_world.Greeter/SayHello" } as FinishedCall["method"];
  const request = { headers } as FinishedCall["request"];
  const started = { method, protocol: "grpc-web", contextValues, request } as const;
  return { ...started, ...known, messagesReceived: 1, messagesSent: 1, code, durationMs: 1.23456, error, warnings };
}

/** The lines that an observer of calls writes, without their time. */
function linesOf(level: LogLevel, ...calls: FinishedCall[]): Record<string, unknown>[] {
  const lines: string[] = [];
  const observe = logCalls(createLogger(level, { write: (line) => lines.push(line) }));
  for (const call of calls) observe?.(call);
  return lines.map((line) => ({ ...JSON.parse(line), time: undefined }));
}

describe("a line of the log", () => {
  it.each([
    [undefined, "ok"],
    [Code.Canceled, "canceled"],
    [Code.NotFound, "not_found"],
    [Code.DeadlineExceeded, "deadline_exceeded"],
    [Code.Unauthenticated, "unauthenticated"],
  ])("says of a call that ended with %s how it was called and that it was %s", (code, name) => {
    const fields = {
      method: "hello_world.Greeter/SayHello",
      protocol: "grpc-web",
      code: name,
      durationMs: 1.235,
      ...known,
    };
    expect(linesOf("info", finish(code))).toEqual([{ level: "info", ...fields, msg: "call" }]);
  });

  it.each<[string, FinishedCall["request"]["headers"], object]>([
    [
      "a client's name",
      { "user-agent": "grpcurl/1.9.3 grpc-go/1.61.0" },
      { userAgent: "grpcurl/1.9.3 grpc-go/1.61.0" },
    ],
    ["a name that is too long", { "user-agent": "x".repeat(101) }, { userAgent: `${"x".repeat(100)}…` }],
    ["a trace", { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }, { traceId }],
    ["a trace of a later version", { traceparent: `cc-${traceId}-00f067aa0ba902b7-01-what` }, { traceId }],
    ["a trace of zeros", { traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01` }, {}],
    ["a trace of no version", { traceparent: `ff-${traceId}-00f067aa0ba902b7-01` }, {}],
    ["text for a trace", { traceparent: "s3cret" }, {}],
    ["other headers", { authorization: "s3cret", "x-request-id": "s3cret" }, {}],
  ])("has of the headers what it names: %s", (_, headers, expected) => {
    const { level, time, msg, method, protocol, code, durationMs, ...rest } =
      linesOf("info", finish(undefined, undefined, [], headers))[0] ?? {};
    expect([level, time, msg, method, protocol, code, durationMs]).toHaveLength(7);
    expect(rest).toEqual({ ...known, ...expected });
  });

  it("leaves out the address of a client that has none", () => {
    expect(linesOf("info", { ...finish(), peer: "" })[0]).not.toHaveProperty("peer");
  });

  it("logs unsent parts of a response at `warn`, or an unexpected error at `error`", () => {
    const warnings = ["error detail 0 (google.rpc.RetryInfo): not sent"];
    const [warned, failed] = linesOf(
      "warn",
      finish(Code.NotFound),
      finish(Code.NotFound, undefined, warnings),
      finish(Code.Internal, new Error("x"), warnings),
    );
    expect(warned).toMatchObject({ level: "warn", code: "not_found", warnings, msg: "call" });
    expect(failed).toMatchObject({ level: "error", code: "internal", warnings, msg: "call failed" });
  });

  it("has its time in UTC", () => {
    const lines: string[] = [];
    createLogger("info", { write: (line) => lines.push(line) }).info("x");
    expect(lines[0]).toMatch(/^\{"level":"info","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","msg":"x"\}\n$/);
  });

  it("logs an unexpected error with its stack and causes, without other properties", () => {
    const [line] = linesOf("info", finish(Code.Internal, createAccident()));
    expect(line).toMatchObject({ level: "error", code: "internal", msg: "call failed" });
    expect(line?.err).toEqual({
      type: "Error",
      message: "no greeting today",
      stack: expect.stringMatching(/no greeting today\n +at createAccident/),
      cause: {
        type: "TypeError",
        message: "connect refused",
        code: "ECONNREFUSED",
        stack: expect.stringMatching(/^TypeError: connect refused\n/),
      },
    });
    expect(JSON.stringify(line)).not.toContain("s3cret");
  });

  it("says no more of what a client sent wrongly than of any call", () => {
    const cause = new SyntaxError(`Unexpected token 's', "s3cret" is not valid JSON`);
    expect(linesOf("info", finish(Code.InvalidArgument, cause))).toEqual([
      {
        level: "info",
        method: "hello_world.Greeter/SayHello",
        protocol: "grpc-web",
        code: "invalid_argument",
        durationMs: 1.235,
        ...known,
        msg: "call",
      },
    ]);
  });

  it("logs a thrown value that is not an Error", () => {
    const [line] = linesOf("info", finish(Code.Internal, "broken"));
    expect(line?.err).toEqual({ type: "string", message: "broken" });
  });
});

describe("the level", () => {
  const calls = [finish(), finish(Code.NotFound), finish(Code.Internal, new Error("broken"))];

  it.each([
    ["debug", ["call", "call", "call failed"]],
    ["info", ["call", "call", "call failed"]],
    ["warn", ["call failed"]],
    ["error", ["call failed"]],
    ["silent", []],
  ] as const)("%s has the lines %j", (level, messages) => {
    expect(linesOf(level, ...calls).map(({ msg }) => msg)).toEqual(messages);
  });

  it("silent does not have calls watched", () => {
    expect(logCalls(createLogger("silent", { write: () => {} }))).toBeUndefined();
  });
});

describe("a sample", () => {
  const failed = [finish(Code.NotFound), finish(Code.Internal, new Error("x")), finish(undefined, undefined, ["lost"])];

  it.each([
    [0, 0],
    [0.25, 2],
    [1, 8],
  ])("of %d has so many of 8 calls that end well: %d, and all others", (sample, expected) => {
    const lines: unknown[] = [];
    let drawn = 0;
    const random = () => (drawn++ % 8) / 8;
    const observe = logCalls(createLogger("info", { write: (line) => lines.push(JSON.parse(line)) }), {
      sample,
      random,
    });
    for (let call = 0; call < 8; call++) observe?.(finish());
    expect(lines.length).toBe(expected);
    for (const call of failed) observe?.(call);
    expect(lines.length).toBe(expected + failed.length);
  });
});

describe("an error of a connection", () => {
  it.each([
    ["http/1.1", "debug"],
    ["http/2", "debug"],
    ["tls handshake", "debug"],
    ["accept", "warn"],
  ])("in the step %s is logged at %s, by its reason alone", (step, level) => {
    const lines: string[] = [];
    const error = Object.assign(new Error("Parse Error"), { code: "HPE_INVALID", rawPacket: Buffer.from("s3cret") });
    logConnectionErrors(createLogger("debug", { write: (line) => lines.push(line) }))(error, step);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level, time: expect.any(String), step, code: "HPE_INVALID", reason: "Parse Error", msg: expect.any(String) },
    ]);
  });

  it("in a handler is logged with its stack", () => {
    const lines: string[] = [];
    logConnectionErrors(createLogger("error", { write: (line) => lines.push(line) }))(createAccident(), "handler");
    const [line] = lines.map((line) => JSON.parse(line));
    expect(line).toMatchObject({ level: "error", err: { stack: expect.stringContaining("createAccident") } });
    expect(lines.join()).not.toContain("s3cret");
  });
});

describe("the log for people", () => {
  async function prettyLines(hasColors: boolean): Promise<string> {
    let text = "";
    const sink = await prettify({ write: (line) => (text += line) }, hasColors);
    const logger = createLogger("debug", sink);
    const observe = logCalls(logger);
    observe?.(finish());
    observe?.(finish(Code.Internal, new Error("broken")));
    logger.info({ url: "http://127.0.0.1:50051" }, "listening");
    return text;
  }

  it("has a short line per call, and the stack of an unexpected error", async () => {
    const [call, failed, ...rest] = (await prettyLines(false)).split("\n");
    const time = /^\[\d\d:\d\d:\d\d\]/;
    expect(call?.replace(time, "")).toBe(" INFO: hello_world.Greeter/SayHello grpc-web ok 1.235 ms");
    expect(failed?.replace(time, "").trimEnd()).toBe(" ERROR: hello_world.Greeter/SayHello grpc-web internal 1.235 ms");
    expect(rest.join("\n")).toMatch(/"message": "broken",\n +"stack":\n +Error: broken\n +at /);
    expect(rest.at(-2)?.replace(time, "")).toBe(' INFO: listening {"url":"http://127.0.0.1:50051"}');
  });

  it("has colours only where they are shown", async () => {
    expect(await prettyLines(true)).toContain("\u001b[");
    expect(await prettyLines(false)).not.toContain("\u001b[");
  });
});
