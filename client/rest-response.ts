/** Decodes REST responses to replies and errors. */
import type { JsonValue, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { isJsonObject } from "../server/codec/json-facts.js";
import type { ErrorDecoder } from "../server/rest/error/errors.js";
import { createJsonSplitter } from "../server/rest/read/json-splitter.js";
import type { ResponseDecoder } from "./rest-method.js";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Options of reading responses. */
export interface ResponseReader {
  /** The largest message, in bytes. */
  readMaxBytes: number;
  acceptCompression: readonly Compression[];
  decodeError: ErrorDecoder;
}

/** Reads and decompresses a whole body. Throws its error if the status is not OK. */
export async function readWhole(response: UniversalClientResponse, reader: ResponseReader): Promise<Uint8Array> {
  const { status, header } = response;
  const body = await decompress(await readAll(response.body, reader.readMaxBytes), header, reader);
  if (status >= 200 && status < 300) return body;
  throw reader.decodeError(status, parseJson(body), metadataOf(response));
}

/** Headers and trailers. The trailers are complete when the body is. */
function metadataOf({ header, trailer }: UniversalClientResponse): Headers {
  const metadata = new Headers(header);
  trailer.forEach((value, name) => {
    metadata.append(name, value);
  });
  return metadata;
}

async function readAll(chunks: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > limitBytes) {
      const text = `message size is larger than configured readMaxBytes ${limitBytes}`;
      throw new ConnectError(text, Code.ResourceExhausted);
    }
    all.push(chunk);
  }
  return concatenate(all, bytes);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

async function decompress(body: Uint8Array, header: Headers, reader: ResponseReader): Promise<Uint8Array> {
  const name = header.get("content-encoding") ?? "identity";
  if (name === "identity" || body.length === 0) return body;
  const compression = reader.acceptCompression.find((one) => one.name === name);
  if (compression !== undefined) return compression.decompress(body, reader.readMaxBytes);
  throw new ConnectError(`the server's reply has the content-encoding ${name}, which was not asked for`, Code.Internal);
}

function parseJson(body: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(decoder.decode(body)) as JsonValue;
  } catch {
    // A body that is not JSON, such as a proxy's page, adds nothing to its status.
    return undefined;
  }
}

/** Yields replies as they arrive: each JSON value, or each chunk of bytes. Throws the error that the stream ends with. */
export async function* readReplies(
  response: UniversalClientResponse,
  kind: "json" | "bytes",
  decode: ResponseDecoder,
  reader: ResponseReader,
): AsyncGenerator<Message> {
  const contentType = response.header.get("content-type") ?? undefined;
  if (kind === "bytes") {
    for await (const body of response.body) yield decode({ contentType, body });
    return;
  }
  const values: Uint8Array[] = [];
  const isArray = /^application\/json\b/i.test(contentType ?? "");
  const splitter = createJsonSplitter(isArray ? "json" : "lines", reader.readMaxBytes);
  for await (const chunk of response.body) {
    splitter.push(chunk, values);
    for (const body of values.splice(0)) yield readReply(body, response, decode, reader);
  }
  splitter.end(values);
  for (const body of values) yield readReply(body, response, decode, reader);
}

function readReply(
  body: Uint8Array,
  { status, header }: UniversalClientResponse,
  decode: ResponseDecoder,
  reader: ResponseReader,
): Message {
  const json = body.length < errorMaxBytes && startsAsError(body) ? parseJson(body) : undefined;
  if (isError(json)) throw reader.decodeError(status, json, header);
  return decode({ contentType: "application/json", body });
}

/** An error is not longer than this: with gRPC it would be in headers. */
const errorMaxBytes = 64 * 1024;

/** Avoids parsing replies twice. */
function startsAsError(body: Uint8Array): boolean {
  return /^\s*\{\s*"error"/.test(decoder.decode(body.subarray(0, 32)));
}

/** `{"error":{"code":…,"message":…}}`, and nothing else. A reply that has a field `error` must differ from that. */
function isError(json: JsonValue | undefined): boolean {
  if (!isJsonObject(json)) return false;
  const { error, ...rest } = json;
  if (!isJsonObject(error)) return false;
  return Object.keys(rest).length === 0 && typeof error.code === "number" && typeof error.message === "string";
}
