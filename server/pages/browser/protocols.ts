// How the page calls a method over each protocol that browsers speak: the request, and the reading of its response.
import { type BodyReader, contentTypeOf, type OnMessage, readFrames, readLines, readWhole } from "./body-readers.js";
import { encodeFrames } from "./frames.js";
import type { Call } from "./lines.js";
import { hasManyReplies, hasManyRequests } from "./method.js";
import { toRestRequest } from "./rest-request.js";
import { connectVerdict, grpcVerdict, parseTrailer } from "./verdicts.js";

/** A request as `fetch` takes it. */
export interface PageRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
}

/** One protocol. */
export interface Protocol {
  readonly name: string;
  /** Whether the method can be called by it. */
  serves(call: Call): boolean;
  /** @throws Error if the request cannot be written */
  request(call: Call): PageRequest;
  read(response: Response, onMessage: OnMessage): BodyReader;
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
  read: (response, onMessage) =>
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
  read: (response, onMessage) =>
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
  read(response, onMessage) {
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
