// Reads the head of a REST request: deadline, type of the body, compression, and the form of the response stream.
import type { IncomingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { CallHead, CallSetup } from "../call/call.js";
import { deadlineExceeded } from "../call/error.js";
import type { Method } from "../call/method.js";
import { maxTimerMs, readTimeout, type Timeout } from "../call/timeout.js";
import type { Exchange } from "../http/exchange.js";
import { header, readPreferences } from "../http/header.js";
import type { PreparedResponse } from "../http/prepared-response.js";
import { quote } from "../quote.js";
import type { ErrorEncoder } from "../rest/error/errors.js";
import { isJsonType } from "../rest/read/body.js";
import type { BodyForm } from "../rest/read/json-splitter.js";
import type { RequestDecoder } from "../rest/read/request.js";
import type { BodyEncoder } from "../rest/response.js";
import type { Binding } from "../rest/route/binding.js";
import { requestMetadata } from "./metadata.js";

/** What calls of one binding share. */
export interface RestSetup<M extends Method = Method> extends CallSetup {
  readonly method: M;
  readonly binding: Binding;
  readonly decode: RequestDecoder;
  readonly encode: BodyEncoder;
  readonly encodeError: ErrorEncoder;
  /** Error that many calls share → response. */
  readonly refusals: WeakMap<ConnectError, PreparedResponse>;
  /** How often a stream of events without events is kept open, in milliseconds. */
  readonly keepAliveMs: number;
  /** Whether metadata has the names of grpc-gateway. */
  readonly hasGatewayNames: boolean;
}

/** The raw values of a request that matched a route. */
export interface RestMatch {
  /** Raw values of the path's variables. */
  readonly captures: readonly string[];
  /** The raw query. */
  readonly query: string;
}

/** Call settings parsed from the request headers. */
export interface RestHead extends CallHead {
  readonly contentType: string | undefined;
  /** The form of a JSON body; undefined for any other type. */
  readonly form: BodyForm | undefined;
  /** The compression that the client accepts and the server has. */
  readonly compression: Compression | undefined;
}

/** Reads deadline, type and compression. */
export function readRestHead({ method, hasGatewayNames }: RestSetup, { headers }: Exchange): RestHead {
  const { maxTimeoutMs, acceptCompression } = method.options;
  const timeout = readRestTimeout(headers, maxTimeoutMs);
  const contentType = headers["content-type"];
  return {
    protocol: "rest",
    timeout,
    problem: timeout.error,
    requestHeader: () => requestMetadata(headers, hasGatewayNames),
    responseHeader: { "content-type": "application/json" },
    responseTrailer: {},
    contentType,
    form: readBodyForm(contentType),
    compression: chooseCompression(acceptCompression, header(headers, "accept-encoding")),
  };
}

/** Reads the deadline: `x-server-timeout` of Google's clients, in seconds, else that of gRPC, else that of Connect. */
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

/** The form of a JSON body; undefined for a type that is not JSON in UTF-8. An empty body needs no type. */
export function readBodyForm(contentType = "application/json"): BodyForm | undefined {
  if (isJsonType(contentType)) return "json";
  return lineTypes.test(contentType) && isJsonType(contentType.replace(lineTypes, "application/json"))
    ? "lines"
    : undefined;
}

/** The available compression with the highest preference in Accept-Encoding. */
export function chooseCompression(available: Compression[], accepted: string | undefined): Compression | undefined {
  if (accepted === undefined) return undefined;
  for (const name of readPreferences(accepted)) {
    const compression = available.find((one) => one.name === name);
    if (compression !== undefined) return compression;
  }
  return undefined;
}

/**
 * The forms of a response stream. The client chooses, except "bytes", the form of methods that return
 * google.api.HttpBody.
 */
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

/** The form with the highest preference in Accept; a JSON array if it names none. */
export function chooseStreamForm(accept: string | undefined): AcceptableForm {
  for (const type of readPreferences(accept)) {
    const form = streamForms.get(type);
    if (form !== undefined) return form;
  }
  return "array";
}
