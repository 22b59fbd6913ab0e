// Reads the head of a REST request: deadline, type of the body, compressions, and in which form a stream is wanted.
import type { IncomingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { header } from "../rpc/header.js";
import { maxTimerMs, readTimeout, type Timeout } from "../rpc/timeout.js";

/** Reads a deadline as gRPC, Connect or Google's own clients say it: the last in seconds. The first of the three counts. */
export function readRestTimeout(headers: IncomingHttpHeaders, maxTimeoutMs: number): Timeout {
  const seconds = header(headers, "x-server-timeout");
  if (seconds === undefined) {
    return readTimeout(headers["grpc-timeout"] === undefined ? "connect" : "grpc", headers, maxTimeoutMs);
  }
  const timeoutMs = Number(seconds) * 1000;
  if (/^\d+(?:\.\d+)?$/.test(seconds) && timeoutMs <= maxTimeoutMs) {
    return { timeoutMs: Math.min(timeoutMs, maxTimerMs) };
  }
  const text = `x-server-timeout: expected a number of seconds of at most ${maxTimeoutMs / 1000}, found "${seconds}"`;
  return { error: new ConnectError(text, Code.InvalidArgument) };
}

/** What the type of a body says of its form. */
export type BodyForm = "json" | "lines";

/** The form of a JSON body; undefined for a type that is not JSON in UTF-8. No type is the type of an empty body. */
export function readBodyForm(contentType: string | undefined): BodyForm | undefined {
  if (contentType === undefined) return "json";
  const [mediaType = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  if (charset !== undefined && !/^"?utf-?8"?$/.test(charset)) return undefined;
  if (mediaType === "application/x-ndjson" || mediaType === "application/jsonl") return "lines";
  return /^application\/(?:[\w.-]+\+)?json$/.test(mediaType) ? "json" : undefined;
}

/** The first of the available compressions that Accept-Encoding names and does not rule out. */
export function chooseCompression(available: Compression[], accepted: string | undefined): Compression | undefined {
  if (accepted === undefined) return undefined;
  const names = accepted
    .split(",")
    .map((entry) => entry.split(";").map((part) => part.trim().toLowerCase()))
    .filter(([, quality]) => quality === undefined || !/^q=0(?:\.0*)?$/.test(quality))
    .map(([name]) => name);
  return available.find(({ name }) => names.includes(name));
}

/** The forms of a stream of replies. */
export type StreamForm = "array" | "lines" | "events";

const streamForms: readonly (readonly [string, StreamForm])[] = [
  ["text/event-stream", "events"],
  ["application/x-ndjson", "lines"],
  ["application/jsonl", "lines"],
];

/** The first form that Accept names; a JSON array if it names none. */
export function chooseStreamForm(accept: string | undefined): StreamForm {
  const types = (accept ?? "").split(",").map((entry) => entry.split(";", 1)[0]?.trim().toLowerCase());
  for (const type of types) {
    const known = streamForms.find(([name]) => name === type);
    if (known !== undefined) return known[1];
    if (type === "application/json") return "array";
  }
  return "array";
}
