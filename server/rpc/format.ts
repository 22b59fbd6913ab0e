// Tells from Content-Type and query which protocol, codec and shape a request has. Case and parameters do not matter,
// except that `charset` must be UTF-8 where there is one: RFC 9110, section 8.3.
import type { RpcProtocol } from "../call/method.js";

/** How the messages of a call are encoded. */
export type Codec = "proto" | "json";

/** What a content type says of a request. */
export interface Format {
  readonly protocol: RpcProtocol;
  readonly codec: Codec;
  /** gRPC and gRPC-Web put every message in an envelope; Connect only those of streams. */
  readonly isEnveloped: boolean;
  /** Whether the body is base64: `application/grpc-web-text`. */
  readonly isText: boolean;
  /** The content type in its canonical spelling. */
  readonly contentType: string;
}

function format(
  contentType: string,
  protocol: RpcProtocol,
  codec: Codec,
  shape: "plain" | "envelope" | "text",
): Format {
  return { contentType, protocol, codec, isEnveloped: shape !== "plain", isText: shape === "text" };
}

const formats = new Map<string, Format>();
for (const known of [
  format("application/grpc+proto", "grpc", "proto", "envelope"),
  format("application/grpc+json", "grpc", "json", "envelope"),
  format("application/grpc-web+proto", "grpc-web", "proto", "envelope"),
  format("application/grpc-web+json", "grpc-web", "json", "envelope"),
  format("application/grpc-web-text+proto", "grpc-web", "proto", "text"),
  format("application/grpc-web-text+json", "grpc-web", "json", "text"),
  format("application/connect+proto", "connect", "proto", "envelope"),
  format("application/connect+json", "connect", "json", "envelope"),
  format("application/proto", "connect", "proto", "plain"),
  format("application/json", "connect", "json", "plain"),
]) {
  formats.set(known.contentType, known);
  // The gRPC family may leave out "+proto".
  if (known.isEnveloped && known.protocol !== "connect" && known.codec === "proto") {
    formats.set(known.contentType.replace("+proto", ""), known);
  }
}

/** Formats of a Connect GET, by its query parameter `encoding`. */
export const getFormats: ReadonlyMap<string, Format> = new Map(
  ["proto", "json"].flatMap((codec) => {
    const known = formats.get(`application/${codec}`);
    return known === undefined ? [] : [[codec, known]];
  }),
);

/** Reads a Content-Type header; undefined if no protocol has it. */
export function parseFormat(contentType: string | undefined): Format | undefined {
  if (contentType === undefined) return undefined;
  return formats.get(contentType) ?? parseUnusual(contentType);
}

function parseUnusual(contentType: string): Format | undefined {
  const [mediaType = "", ...parameters] = contentType.split(";");
  const charset = parameters
    .map((parameter) => parameter.split("=", 2))
    .find(([name]) => name?.trim().toLowerCase() === "charset")?.[1];
  if (charset !== undefined && !/^\s*"?utf-?8"?\s*$/i.test(charset)) return undefined;
  return formats.get(mediaType.trim().toLowerCase());
}
