// Opens a transport of Connect for any route: the client's own where it has one, and else made from the same parts.
import type { Transport } from "@connectrpc/connect";
import type { CommonTransportOptions, UniversalClientFn } from "@connectrpc/connect/protocol";
import { createTransport as createGrpc } from "@connectrpc/connect/protocol-grpc";
import { createTransport as createGrpcWeb } from "@connectrpc/connect/protocol-grpc-web";
import { openHttp1, openHttp2 } from "../../client/connections.js";
import type { Defined } from "../../client/defined.js";
import { createTransport, type TransportOptions } from "../../client/index.js";
import { authority } from "../support/certificates.js";
import type { Route } from "./combinations.js";

/** Options that every transport has, whatever its protocol. */
export type ClientOptions = Pick<
  Defined<TransportOptions>,
  "acceptCompression" | "sendCompression" | "compressMinBytes" | "interceptors" | "useHttpGet" | "readMaxBytes"
>;

/** A transport that can be closed. */
export interface OpenTransport extends Transport {
  close(): void;
}

export function openTransport(baseUrl: string, route: Route, options: ClientOptions = {}): OpenTransport {
  const { wire, codec, httpVersion } = route;
  const useBinaryFormat = codec === "proto";
  const tls = baseUrl.startsWith("https:") ? { ca: authority } : undefined;
  const isOrdinary = wire === "connect" || wire === "grpc-web" || (wire === "grpc" && httpVersion === "2");
  if (!isOrdinary) return openOdd(baseUrl, route, { ...oddDefaults, ...options, useBinaryFormat });
  return createTransport({ ...options, protocol: wire, baseUrl, httpVersion, useBinaryFormat, ...(tls && { tls }) });
}

const oddDefaults = {
  interceptors: [],
  acceptCompression: [],
  sendCompression: null,
  compressMinBytes: 1024,
  readMaxBytes: 2 ** 24,
  writeMaxBytes: 2 ** 24,
};

/** gRPC over HTTP/1.1, and gRPC-Web in base64: no library has them, and a server may yet be asked for them. */
function openOdd(
  baseUrl: string,
  { wire, httpVersion }: Route,
  options: Omit<CommonTransportOptions, "baseUrl" | "httpClient">,
): OpenTransport {
  const tls = baseUrl.startsWith("https:") ? { ca: authority } : {};
  const target = { url: baseUrl, isTls: baseUrl.startsWith("https:") };
  const connections = httpVersion === "1.1" ? openHttp1(target, tls) : openHttp2(target, {}, tls);
  const { httpClient } = connections;
  const transport =
    wire === "grpc"
      ? createGrpc({ ...options, baseUrl, httpClient })
      : createGrpcWeb({ ...options, baseUrl, httpClient: inBase64(httpClient) });
  return Object.assign(transport, { close: connections.close });
}

/** Turns a client of gRPC-Web into one of its text variant. */
function inBase64(next: UniversalClientFn): UniversalClientFn {
  return async (request) => {
    const header = new Headers(request.header);
    rename(header, "application/grpc-web", "application/grpc-web-text");
    const body = request.body === undefined ? {} : { body: encodeEach(request.body) };
    const response = await next({ ...request, header, ...body });
    rename(response.header, "application/grpc-web-text", "application/grpc-web");
    return { ...response, body: decodeAll(response.body) };
  };
}

function rename(header: Headers, from: string, to: string): void {
  const contentType = header.get("content-type") ?? "";
  if (!contentType.startsWith(from)) throw new Error(`expected ${from}, found ${contentType}`);
  header.set("content-type", contentType.replace(from, to));
}

async function* encodeEach(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(Buffer.from(chunk).toString("base64"), "latin1");
}

async function* decodeAll(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let text = "";
  for await (const chunk of chunks) {
    text += Buffer.from(chunk).toString("latin1");
    const end = text.length - (text.length % 4);
    yield decodeBase64(text.slice(0, end));
    text = text.slice(end);
  }
  if (text !== "") throw new Error(`expected groups of four characters, found a rest ${JSON.stringify(text)}`);
}

/** Decodes a row of base64 texts, each with its own padding: every four characters stand for themselves. */
export function decodeBase64(row: string): Buffer {
  return Buffer.concat((row.match(/.{4}/gs) ?? []).map((group) => Buffer.from(group, "base64")));
}
