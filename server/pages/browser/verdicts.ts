// Turns the end of a call in its protocol into the result that the page shows: an HTTP status, the last envelope of a
// stream, or trailers. https://connectrpc.com/docs/protocol#error-end-stream,
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-WEB.md
import { type ErrorDetail, readStatusDetails } from "./status-details.js";

/** A header or a trailer. */
export type Pair = readonly [name: string, value: string];

/** The result of a call. */
export interface Verdict {
  readonly isOk: boolean;
  /** In the form of the protocol: `200`, `404 not_found`, `0 OK`. */
  readonly status: string;
  /** The message of an error. */
  readonly error?: string | undefined;
  readonly details?: readonly ErrorDetail[] | undefined;
  /** A binary body. */
  readonly file?: Blob | undefined;
  /** Trailers that came in the body. */
  readonly trailers?: readonly Pair[];
}

/** The result of a response without a status in its body. @param body the JSON of an error; empty for none */
export function httpVerdict({ ok, status }: Pick<Response, "ok" | "status">, body: string): Verdict {
  const { code, name = typeof code === "number" ? grpcCodes[code] : code, message, details } = errorIn(body);
  const error = body === "" ? undefined : (message ?? body);
  return { isOk: ok, status: `${status} ${name ?? ""}`.trim(), error, details };
}

/** The result of a stream over Connect. @param end the last envelope, which is JSON; undefined if it is missing */
export function connectVerdict(end: string | undefined): Verdict {
  if (end === undefined) return cut;
  const { error, metadata } = parseObject(end);
  const trailers = Object.entries(Object(metadata)).map(([name, values]): Pair => [name, [values].flat().join(", ")]);
  if (error === undefined) return { isOk: true, status: "ok", trailers };
  const { code, message, details } = errorIn(JSON.stringify(error));
  return { isOk: false, status: String(code), error: message ?? String(code), details, trailers };
}

/** The result of a call over gRPC-Web. @param trailer undefined if it is missing */
export function grpcVerdict(trailer: Headers | undefined): Verdict {
  if (trailer === undefined) return cut;
  const code = Number(trailer.get("grpc-status") ?? 2);
  const status = `${code} ${grpcCodes[code] ?? ""}`.trim();
  const trailers = [...trailer];
  if (code === 0) return { isOk: true, status, trailers };
  const error = decodePercent(trailer.get("grpc-message") ?? "") || status;
  const details = readStatusDetails(trailer.get("grpc-status-details-bin") ?? "");
  return { isOk: false, status, error, details, trailers };
}

const cut: Verdict = { isOk: false, status: "cut", error: "the response ended before its status came" };

/** https://grpc.io/docs/guides/status-codes/ */
const grpcCodes: readonly string[] = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"],
  ...["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"],
  ...["INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"],
];

interface JsonError {
  readonly code: unknown;
  readonly name: unknown;
  readonly message: string | undefined;
  readonly details: readonly ErrorDetail[] | undefined;
}

/** Reads an error in JSON: the whole body, or its member `error`, as in Google's APIs. */
function errorIn(body: string): JsonError {
  const whole = parseObject(body);
  const isInner = typeof whole.error === "object" && whole.error !== null;
  const { code, status: name, message, details } = isInner ? (whole.error as typeof whole) : whole;
  return {
    code,
    name,
    message: typeof message === "string" ? message : undefined,
    details: Array.isArray(details) ? details.map(detailOf) : undefined,
  };
}

/** Connect has a detail as `{type, value, debug}`, REST as a google.protobuf.Any. */
function detailOf(detail: unknown): ErrorDetail {
  const { "@type": url, type = url, value, debug, ...members }: Record<string, unknown> = Object(detail);
  const shown = debug ?? (url === undefined ? value : members);
  const text = typeof shown === "string" ? shown : JSON.stringify(shown, undefined, 2);
  return { type: String(type).replace(/^.*\//, ""), text };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    // Not JSON.
    return {};
  }
}

/** Trailers, as lines of HTTP/1.1. */
export function parseTrailer(text: string): Headers {
  const pairs = text.split("\r\n").flatMap((line): [string, string][] => {
    const colon = line.indexOf(":");
    return colon < 1 ? [] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()]];
  });
  return new Headers(pairs);
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Sent without encoding.
    return text;
  }
}
