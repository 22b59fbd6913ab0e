// Turns what a protocol says at the end of a call into what the page shows of it: an HTTP status, the last envelope of a
// stream, or trailers. https://connectrpc.com/docs/protocol#error-end-stream,
// https://github.com/grpc/grpc/blob/v1.62.0/doc/PROTOCOL-WEB.md

/** What a call came to. */
export interface Verdict {
  readonly isOk: boolean;
  /** `200`, `404 not_found`, `0 OK`: what the protocol has for it. */
  readonly status: string;
  /** What an error says of itself. */
  readonly error?: string | undefined;
}

/** Of a response that has no more to say than its status, and the JSON of an error as `body`; empty if there is none. */
export function httpVerdict({ ok, status }: Pick<Response, "ok" | "status">, body: string): Verdict {
  const { code, name = typeof code === "number" ? grpcCodes[code] : code, message } = errorIn(body);
  return { isOk: ok, status: `${status} ${name ?? ""}`.trim(), error: body === "" ? undefined : (message ?? body) };
}

/** Of a stream over Connect, whose last envelope is JSON; undefined if it did not come. */
export function connectVerdict(end: string | undefined): Verdict {
  if (end === undefined) return cut;
  const { error } = parseObject(end);
  if (error === undefined) return { isOk: true, status: "ok" };
  const { code, message } = errorIn(JSON.stringify(error));
  return { isOk: false, status: String(code), error: message ?? String(code) };
}

/** Of the trailers of a call over gRPC-Web; undefined if there are none. */
export function grpcVerdict(trailer: Headers | undefined): Verdict {
  if (trailer === undefined) return cut;
  const code = Number(trailer.get("grpc-status") ?? 2);
  const status = `${code} ${grpcCodes[code] ?? ""}`.trim();
  const message = trailer.get("grpc-message") ?? "";
  return code === 0 ? { isOk: true, status } : { isOk: false, status, error: decodePercent(message) || status };
}

const cut: Verdict = { isOk: false, status: "cut", error: "the response ended before its status came" };

/** https://grpc.io/docs/guides/status-codes/ */
const grpcCodes: readonly string[] = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"],
  ...["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"],
  ...["INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"],
];

/** What an error in JSON says, whether it is the whole body or its member `error`, where Google's APIs have its name, too. */
function errorIn(body: string): { code?: unknown; name?: unknown; message?: string | undefined } {
  const whole = parseObject(body);
  const isInner = typeof whole.error === "object" && whole.error !== null;
  const { code, status: name, message } = isInner ? (whole.error as typeof whole) : whole;
  return { code, name, message: typeof message === "string" ? message : undefined };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    // Not JSON: it has no members.
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
