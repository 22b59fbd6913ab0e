// Writes the log: JSON for machines, text for people. Only fields that are named here get
// into a line, so that neither messages nor headers nor keys can.
import { fstatSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { destination, type Logger, pino } from "pino";
import type { FinishedCall } from "../call/observer.js";
import type { ListenStep } from "../listen/report.js";
import { shorten } from "../quote.js";
import { applicationSteps } from "./report.js";
import { isUnexpected } from "./unexpected.js";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Takes whole lines. */
interface LogSink {
  write(line: string): unknown;
}

/** A sink that never makes a call wait for a slow reader. */
export interface BufferedSink extends LogSink {
  /** Resolves when everything was written, or after a second. Later lines are lost. */
  end(): Promise<void>;
}

/** Fields of every line. */
export type LogFields = Readonly<Record<string, string | number>>;

/** A logger that writes JSON lines with `level` ("info"), `time` (ISO 8601, UTC), `fields` and `msg`. */
export function createLogger(level: LogLevel, sink: LogSink, fields?: LogFields): Logger {
  return pino(
    {
      level,
      base: fields ?? null,
      timestamp: createClock(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    sink,
  );
}

/** How many calls get a line. */
interface Sampling {
  /** Share of the calls that end well and are logged, from 0 to 1. Others are always logged. Default 1. */
  readonly sample?: number;
  /** Returns a number from 0 to less than 1. */
  readonly random?: () => number;
}

/**
 * Writes a line per finished call: at `info`; at `warn` where a part of the response could not be sent; or at `error` with
 * the stack if an unexpected error ended it. Undefined if the log level drops all of these, so that calls are not
 * observed.
 */
export function logCalls(
  logger: Logger,
  { sample = 1, random = Math.random }: Sampling = {},
): ((call: FinishedCall) => void) | undefined {
  if (!logger.isLevelEnabled("error")) return undefined;
  const isEach = logger.isLevelEnabled("info");
  return (call) => {
    const { code, error, warnings } = call;
    const isAccident = isUnexpected(error);
    if (!isAccident && warnings.length === 0) {
      if (!isEach) return;
      if (sample < 1 && code === undefined && random() >= sample) return;
    }
    const fields = toFields(call);
    if (isAccident) logger.error({ ...fields, err: error.cause }, "call failed");
    else if (warnings.length > 0) logger.warn(fields, "call");
    else logger.info(fields, "call");
  };
}

/** The fields of a line. What the client has sent of them is shortened. */
function toFields(call: FinishedCall): object {
  const { method, protocol, code, durationMs, requestId, peer, request, warnings } = call;
  const { traceparent, "user-agent": userAgent } = request.headers;
  const traceId = readTraceId(traceparent);
  return {
    method: method.path.slice(1),
    protocol,
    code: code === undefined ? "ok" : codeToString(code),
    durationMs: Math.round(durationMs * 1000) / 1000,
    requestId,
    ...(traceId !== undefined && { traceId }),
    ...(peer !== "" && { peer }),
    ...(userAgent !== undefined && { userAgent: shorten(userAgent) }),
    bytesReceived: call.bytesReceived,
    bytesSent: call.bytesSent,
    ...(warnings.length > 0 && { warnings }),
  };
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const traceParent = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}(?:-|$)/;

function readTraceId(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? traceParent.exec(value)?.[1] : undefined;
}

/**
 * Writes a line per error that no call ended with: at `error` if the application's own code threw it. Malformed traffic is
 * not actionable for operators, so it is logged at `debug`.
 */
export function logConnectionErrors(logger: Logger): (error: Error, step: string) => void {
  return (error, step) => {
    const { code, message: reason } = error as NodeJS.ErrnoException;
    if (step === ("handler" satisfies ListenStep)) logger.error({ step, err: error }, "request failed");
    else if (applicationSteps.has(step)) logger.error({ step, err: error }, "callback failed");
    else if (step === "upstream schema") logger.warn({ step, reason }, "schema not read; trying again");
    else if (step === ("accept" satisfies ListenStep)) logger.warn({ step, code, reason }, "connection not accepted");
    else logger.debug({ step, code, reason }, "connection failed");
  };
}

/** Drops properties that libraries add to errors, such as requests with their headers, and raw packets. */
function describeError(reason: unknown): Record<string, unknown> {
  if (!(reason instanceof Error)) return { type: typeof reason, message: String(reason) };
  const { name: type, message, stack, code } = reason as NodeJS.ErrnoException;
  const cause = reason.cause === undefined ? {} : { cause: describeError(reason.cause) };
  return { type, message, ...(code !== undefined && { code }), stack, ...cause };
}

/** The member `time` of a line. Written once per millisecond, because it is half the work of a line. */
function createClock(): () => string {
  let writtenMs = 0;
  let member = "";
  return () => {
    const nowMs = Date.now();
    if (nowMs !== writtenMs) {
      writtenMs = nowMs;
      member = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return member;
  };
}

/** Maximum bytes that wait for a slow reader. Further lines are dropped, to limit memory. */
const waitingBytes = 16 * 1024 * 1024;
/** How long the end waits for such a reader, in milliseconds. */
const patienceMs = 1000;

/** Where a log may go: `process.stderr` is one. */
type LogStream = Pick<NodeJS.WriteStream, "write" | "end" | "destroy" | "on" | "once" | "writableLength"> & {
  readonly fd: number;
};

/** A sink to a stream of the process. Lines of one turn of the event loop are written together. */
export function openSink(target: LogStream): BufferedSink {
  const stream = openStream(target);
  const gone = new Promise<void>((resolve) => {
    // There is no reader to report to.
    stream.once("finish", resolve).on("error", () => resolve());
  });
  let lines: string[] = [];
  let ended: Promise<void> | undefined;
  const flush = () => {
    const text = lines.join("");
    lines = [];
    const isFull = "writableLength" in stream && stream.writableLength > waitingBytes;
    if (ended === undefined && text !== "" && !isFull) stream.write(text);
  };
  return {
    write(line) {
      if (lines.push(line) === 1) setImmediate(flush);
    },
    end() {
      flush();
      if (ended === undefined) {
        ended = Promise.race([gone, delay(patienceMs, undefined, { ref: false })]).then(() => {
          // What is left would be written once more when the process exits, which it then could not.
          stream.destroy();
        });
        stream.end();
      }
      return ended;
    },
  };
}

/**
 * Files are written by other threads, so that a slow disk holds up no call. A pipe that is not read would hold up such
 * a thread, and with it the end of the process; Node's own stream waits for it without one.
 */
function openStream(target: LogStream): LogStream | ReturnType<typeof destination> {
  const stats = fstatSync(target.fd);
  if (stats.isFIFO() || stats.isSocket()) return target;
  return destination({ dest: target.fd, sync: false, maxLength: waitingBytes });
}

/** Writes text instead of JSON. Loads pino-pretty when called. */
export async function prettify(sink: LogSink, hasColors: boolean): Promise<LogSink> {
  const { prettyFactory } = await import("pino-pretty");
  const format = prettyFactory({
    colorize: hasColors,
    translateTime: "SYS:HH:MM:ss",
    singleLine: true,
    ignore: "method,protocol,code,durationMs,requestId,traceId,peer,userAgent,bytesReceived,bytesSent",
    messageFormat: (line, key) => {
      const { method, protocol, code, durationMs } = line;
      return method === undefined ? String(line[key]) : `${method} ${protocol} ${code} ${durationMs} ms`;
    },
  });
  return { write: (line) => sink.write(format(line)) };
}
