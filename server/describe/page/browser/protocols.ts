// How the page calls a method over each protocol that browsers speak: the request, and the reading of its response.
import { encodeFrames, FrameReader } from "./frames.js";
import type { Call } from "./lines.js";
import { hasManyReplies, hasManyRequests } from "./method.js";
import { toRestRequest } from "./rest-request.js";

/** A request as `fetch` takes it. */
export interface PageRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
}

/** What a call came to. */
export interface Verdict {
  readonly isOk: boolean;
  /** `200`, `404 not_found`, `0 OK`: what the protocol has for it. */
  readonly status: string;
  /** What an error says of itself. */
  readonly error?: string | undefined;
}

/** Takes the body of a response, piece by piece. */
export interface BodyReader {
  push(chunk: Uint8Array): void;
  /** The body has come to its end. */
  end(): Verdict;
}

/** Is told of each message as it comes, as text. */
export type OnMessage = (text: string) => void;

/** One protocol. */
export interface Protocol {
  readonly name: string;
  /** Whether the method can be called by it. */
  serves(call: Call): boolean;
  /** @throws Error if the request cannot be written */
  request(call: Call): PageRequest;
  read(call: Call, response: Response, onMessage: OnMessage): BodyReader;
}

const rest: Protocol = {
  name: "REST",
  serves: ({ route }) => route !== undefined,
  request({ method, route, base, messages }) {
    if (route === undefined) throw new Error("the method has no route");
    const { httpMethod, target, body, contentType } = toRestRequest(route, messages, hasManyRequests(method));
    const accept = hasManyReplies(method) ? { accept: "application/x-ndjson" } : {};
    const type = contentType === undefined ? {} : { "content-type": contentType };
    return { url: `${base}${target}`, method: httpMethod, headers: { ...accept, ...type }, body };
  },
  read: (_call, response, onMessage) =>
    contentTypeOf(response).startsWith("application/x-ndjson")
      ? readLines(response, onMessage)
      : readWhole(response, onMessage),
};

const connect: Protocol = {
  name: "Connect",
  serves: ({ method }) => method.protocols.includes("connect"),
  request(call) {
    const texts = call.messages.map((message) => JSON.stringify(message));
    const isUnary = call.method.kind === "unary";
    const type = isUnary ? "application/json" : "application/connect+json";
    const headers = { "content-type": type, "connect-protocol-version": "1" };
    return { url: urlOf(call), method: "POST", headers, body: isUnary ? (texts[0] ?? "{}") : encodeFrames(texts) };
  },
  read: (_call, response, onMessage) =>
    contentTypeOf(response).startsWith("application/connect+")
      ? readFrames(onMessage, connectVerdict)
      : readWhole(response, onMessage),
};

const grpcWeb: Protocol = {
  name: "gRPC-Web",
  serves: ({ method }) => method.protocols.includes("grpc-web"),
  request(call) {
    const headers = { "content-type": "application/grpc-web+json", "x-grpc-web": "1" };
    const body = encodeFrames(call.messages.map((message) => JSON.stringify(message)));
    return { url: urlOf(call), method: "POST", headers, body };
  },
  read(_call, response, onMessage) {
    if (!contentTypeOf(response).startsWith("application/grpc-web")) return readWhole(response, onMessage);
    // Where there is nothing but a status, it is among the headers.
    const header = response.headers.has("grpc-status") ? response.headers : undefined;
    return readFrames(onMessage, (trailer) => grpcVerdict(trailer === undefined ? header : parseTrailer(trailer)));
  },
};

/** In the order in which they stand beside each other. */
export const protocols: readonly Protocol[] = [rest, connect, grpcWeb];

function urlOf({ method, base }: Call): string {
  return `${base}/${method.service}/${method.name}`;
}

function contentTypeOf(response: Response): string {
  return response.headers.get("content-type") ?? "";
}

/** A body that is one message, or no text at all. */
function readWhole(response: Response, onMessage: OnMessage): BodyReader {
  const type = contentTypeOf(response);
  const isText = type === "" || /json|^text\/|xml|javascript/.test(type);
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  return {
    push(chunk) {
      length += chunk.length;
      if (isText) text += decoder.decode(chunk, { stream: true });
    },
    end() {
      if (!response.ok) return httpVerdict(response, text);
      onMessage(isText ? text : `${length} bytes of ${type}`);
      return httpVerdict(response, "");
    },
  };
}

/** Lines of JSON. One that has `error` alone is how such a stream fails after it has begun. */
function readLines(response: Response, onMessage: OnMessage): BodyReader {
  const decoder = new TextDecoder();
  let rest = "";
  let failure: string | undefined;
  const take = (line: string) => {
    if (/^\{"error":\{/.test(line)) failure = line;
    else if (line !== "") onMessage(line);
  };
  return {
    push(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(take);
    },
    end() {
      take(rest);
      if (failure === undefined) return httpVerdict(response, "");
      return { ...httpVerdict(response, failure), isOk: false };
    },
  };
}

/** @param judge is given the last envelope, which has no message but the status; undefined if it did not come */
function readFrames(onMessage: OnMessage, judge: (end: string | undefined) => Verdict): BodyReader {
  const reader = new FrameReader();
  let end: string | undefined;
  return {
    push(chunk) {
      for (const { flags, text } of reader.push(chunk)) {
        if (flags === 0) onMessage(text);
        else end = text;
      }
    },
    end: () => judge(end),
  };
}

function httpVerdict({ ok, status }: Response, body: string): Verdict {
  const { code, message } = errorIn(body);
  const name = typeof code === "number" ? grpcCodes[code] : code;
  return { isOk: ok, status: `${status} ${name ?? ""}`.trim(), error: body === "" ? undefined : (message ?? body) };
}

function connectVerdict(end: string | undefined): Verdict {
  if (end === undefined) return cut;
  const { error } = parseObject(end);
  if (error === undefined) return { isOk: true, status: "ok" };
  const { code, message } = errorIn(JSON.stringify(error));
  return { isOk: false, status: String(code), error: message ?? String(code) };
}

function grpcVerdict(trailer: Headers | undefined): Verdict {
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

/** Code and message of an error in JSON, whether it is the whole body or its member `error`. */
function errorIn(body: string): { code?: unknown; message?: string | undefined } {
  const whole = parseObject(body);
  const { code, message } =
    typeof whole.error === "object" && whole.error !== null ? (whole.error as typeof whole) : whole;
  return { code, message: typeof message === "string" ? message : undefined };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    // Not JSON: it has no members.
    return {};
  }
}

/** Lines as in HTTP/1.1. */
function parseTrailer(text: string): Headers {
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
