// Reads the head of a REST request: deadline, type of the body, compressions, and in which form a stream is wanted.
import type { IncomingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { deadlineExceeded } from "../call/error.js";
import { maxTimerMs, readTimeout, type Timeout } from "../call/timeout.js";
import { header, readPreferences } from "../http/header.js";
import { quote } from "../quote.js";
import { isJsonType } from "../rest/read/body.js";
import type { BodyForm } from "../rest/read/json-splitter.js";

/** Reads a deadline as Google's own clients say it, in seconds, else as gRPC or as Connect do. The first of them counts. */
export function readRestTimeout(headers: IncomingHttpHeaders, maxTimeoutMs: number): Timeout {
  const seconds = header(headers, "x-server-timeout");
  if (seconds === undefined) {
    return readTimeout(headers["grpc-timeout"] === undefined ? "connect" : "grpc", headers, maxTimeoutMs);
  }
  const timeoutMs = Number(seconds) * 1000;
  if (!/^\d+(?:\.\d+)?$/.test(seconds) || timeoutMs > maxTimeoutMs) {
    const text = `x-server-timeout: expected a number of seconds of at most ${maxTimeoutMs / 1000}, found ${quote(seconds)}`;
    return { error: new ConnectError(text, Code.InvalidArgument) };
  }
  if (timeoutMs === 0) return { timeoutMs, error: deadlineExceeded() };
  return { timeoutMs: Math.min(timeoutMs, maxTimerMs) };
}

const lineTypes = /^\s*application\/(?:x-ndjson|jsonl)(?=[\s;]|$)/i;

/** The form of a JSON body; undefined for a type that is not JSON in UTF-8. No type is the type of an empty body. */
export function readBodyForm(contentType = "application/json"): BodyForm | undefined {
  if (isJsonType(contentType)) return "json";
  return lineTypes.test(contentType) && isJsonType(contentType.replace(lineTypes, "application/json"))
    ? "lines"
    : undefined;
}

/** The available compression that Accept-Encoding likes best. */
export function chooseCompression(available: Compression[], accepted: string | undefined): Compression | undefined {
  if (accepted === undefined) return undefined;
  for (const name of readPreferences(accepted)) {
    const compression = available.find((one) => one.name === name);
    if (compression !== undefined) return compression;
  }
  return undefined;
}

/** The forms of a stream of replies; "bytes" is that of google.api.HttpBody, which the method has and no client chooses. */
export type StreamForm = "array" | "lines" | "events" | "bytes";

type AcceptableForm = Exclude<StreamForm, "bytes">;

const streamForms: ReadonlyMap<string, AcceptableForm> = new Map([
  ["application/json", "array"],
  ["application/*", "array"],
  ["*/*", "array"],
  ["application/x-ndjson", "lines"],
  ["application/jsonl", "lines"],
  ["text/event-stream", "events"],
]);

/** The form that Accept likes best; a JSON array if it names none. */
export function chooseStreamForm(accept: string | undefined): AcceptableForm {
  for (const type of readPreferences(accept)) {
    const form = streamForms.get(type);
    if (form !== undefined) return form;
  }
  return "array";
}
