// How the page calls a method over each protocol that browsers speak: the request, and the reading of its response.
import { type BodyReader, contentTypeOf, type OnMessage, readFrames, readLines, readWhole } from "./body-readers.js";
import { encodeFrames } from "./frames.js";
import type { Call } from "./lines.js";
import { hasManyReplies, hasManyRequests } from "./method.js";
import { toRestRequest } from "./rest-request.js";
import { connectVerdict, grpcVerdict, type Pair, parseTrailer } from "./verdicts.js";

/** A request as `fetch` takes it. */
export interface PageRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
}

/** One protocol. */
export interface Protocol {
  /** `rest`, `connect`, `grpc-web`. */
  readonly id: string;
  readonly name: string;
  /** Whether the method can be called by it. */
  serves(call: Pick<Call, "method" | "route">): boolean;
  /** @throws Error if the request cannot be written */
  request(call: Call): PageRequest;
  read(response: Response, onMessage: OnMessage): BodyReader;
}

const rest: Protocol = {
  id: "rest",
  name: "REST",
  serves: ({ route }) => route !== undefined,
  request({ method, route, base, messages, timeoutMs }) {
    if (route === undefined) throw new Error("the method has no route");
    const { httpMethod, target, body, contentType } = toRestRequest(route, messages, hasManyRequests(method));
    const headers = {
      ...(hasManyReplies(method) ? { accept: "application/x-ndjson" } : {}),
      ...(contentType === undefined ? {} : { "content-type": contentType }),
      ...(timeoutMs === undefined ? {} : { "x-server-timeout": String(timeoutMs / 1000) }),
    };
    return { url: `${base}${target}`, method: httpMethod, headers, body };
  },
  read: (response, onMessage) =>
    contentTypeOf(response).startsWith("application/x-ndjson")
      ? readLines(response, onMessage)
      : readWhole(response, onMessage),
};

const connect: Protocol = {
  id: "connect",
  name: "Connect",
  serves: ({ method }) => method.protocols.includes("connect"),
  request(call) {
    const texts = call.messages.map((message) => JSON.stringify(message));
    const isUnary = call.method.kind === "unary";
    const headers = {
      "content-type": isUnary ? "application/json" : "application/connect+json",
      "connect-protocol-version": "1",
      ...(call.timeoutMs === undefined ? {} : { "connect-timeout-ms": String(call.timeoutMs) }),
    };
    return { url: urlOf(call), method: "POST", headers, body: isUnary ? (texts[0] ?? "{}") : encodeFrames(texts) };
  },
  read: (response, onMessage) =>
    contentTypeOf(response).startsWith("application/connect+")
      ? readFrames(onMessage, connectVerdict)
      : withTrailers(response, readWhole(response, onMessage)),
};

/** The trailers of a unary call are headers with a prefix. */
function withTrailers({ headers }: Response, reader: BodyReader): BodyReader {
  const prefix = "trailer-";
  const prefixed = [...headers].filter(([name]) => name.startsWith(prefix));
  const trailers = prefixed.map(([name, value]): Pair => [name.slice(prefix.length), value]);
  return { push: (chunk) => reader.push(chunk), end: () => ({ ...reader.end(), trailers }) };
}

const grpcWeb: Protocol = {
  id: "grpc-web",
  name: "gRPC-Web",
  serves: ({ method }) => method.protocols.includes("grpc-web"),
  request(call) {
    const headers = {
      "content-type": "application/grpc-web+json",
      "x-grpc-web": "1",
      ...(call.timeoutMs === undefined ? {} : { "grpc-timeout": `${call.timeoutMs}m` }),
    };
    const body = encodeFrames(call.messages.map((message) => JSON.stringify(message)));
    return { url: urlOf(call), method: "POST", headers, body };
  },
  read(response, onMessage) {
    if (!contentTypeOf(response).startsWith("application/grpc-web")) return readWhole(response, onMessage);
    // Where there is nothing but a status, it is among the headers.
    const header = response.headers.has("grpc-status") ? response.headers : undefined;
    return readFrames(onMessage, (trailer) => {
      if (trailer !== undefined) return grpcVerdict(parseTrailer(trailer));
      return { ...grpcVerdict(header), trailers: [] };
    });
  },
};

/** In the order in which they stand beside each other. */
export const protocols: readonly Protocol[] = [rest, connect, grpcWeb];

function urlOf({ method, base }: Call): string {
  return `${base}/${method.service}/${method.name}`;
}
