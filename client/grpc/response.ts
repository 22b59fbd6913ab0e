// What the headers and trailers of a response say of its call.
// https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-HTTP2.md#responses
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { codeFromHttpStatus, findTrailerError, parseContentType } from "@connectrpc/connect/protocol-grpc";
import type { ResponseFields } from "../../server/http2/field-rules.js";
import type { Field } from "../../server/http2/hpack/field.js";
import { toHeaders } from "../http2/request-fields.js";

/** What the headers say. */
export class HeadFacts {
  /** How messages are compressed. */
  readonly compression: Compression | undefined;

  constructor(compression: Compression | undefined) {
    this.compression = compression;
  }
}

/** What a response has to be. */
export interface ResponseOptions {
  readonly useBinaryFormat: boolean;
  readonly acceptCompression: Compression[];
}

/** @throws ConnectError if they are not the headers of a response of gRPC */
export function readHead(head: ResponseFields, options: ResponseOptions): HeadFacts {
  if (head.memo instanceof HeadFacts) return head.memo;
  const headers = toHeaders(head.fields);
  checkResponse(head.status, headers, options);
  const facts = new HeadFacts(findCompression(headers, options.acceptCompression));
  head.memo = facts;
  return facts;
}

/**
 * Checks that a response is one of gRPC. A proxy on the way may respond in words of HTTP. A status of gRPC counts before that.
 * https://github.com/grpc/grpc/blob/v1.71.0/doc/http-grpc-status-mapping.md
 *
 * @throws ConnectError if it is not
 */
export function checkResponse(
  status: number,
  headers: Headers,
  { useBinaryFormat }: Pick<ResponseOptions, "useBinaryFormat">,
): void {
  const contentType = headers.get("content-type");
  const format = parseContentType(contentType);
  if (status !== 200) {
    const error = format === undefined ? undefined : findError(headers);
    throw error ?? new ConnectError(`HTTP ${status}`, codeFromHttpStatus(status), headers);
  }
  if (format !== undefined && (format.binary || !useBinaryFormat)) return;
  throw new ConnectError(`unsupported content type ${contentType}`, Code.Unknown);
}

function findCompression(headers: Headers, accepted: Compression[]): Compression | undefined {
  const encoding = headers.get("grpc-encoding");
  if (encoding === null || encoding.toLowerCase() === "identity") return undefined;
  const compression = accepted.find(({ name }) => name === encoding);
  if (compression !== undefined) return compression;
  throw new ConnectError(`unsupported response encoding "${encoding}"`, Code.Internal, headers);
}

/**
 * Returns the error that a response ends with, or undefined if it has succeeded.
 *
 * @param trailers its headers, if it has nothing else
 * @param head its headers: metadata of the error
 */
export function readStatus(trailers: readonly Field[], head: readonly Field[]): ConnectError | undefined {
  if (isOk(trailers)) return undefined;
  const error = findError(toHeaders(trailers));
  if (error !== undefined) {
    if (trailers !== head) for (const { name, value } of head) error.metadata.append(name, value);
    return error;
  }
  if (hasStatus(trailers)) return undefined;
  return new ConnectError("protocol error: missing status", Code.Internal);
}

/** Whether headers or trailers have a status. */
export function hasStatus(fields: readonly Field[]): boolean {
  return fields.some(({ name }) => name === "grpc-status");
}

/** Whether the status is 0, once, and there are no details. */
function isOk(trailers: readonly Field[]): boolean {
  let isOk = false;
  for (let index = 0; index < trailers.length; index++) {
    const { name, value } = trailers[index] as Field;
    if (name === "grpc-status-details-bin") return false;
    if (name !== "grpc-status") continue;
    if (isOk || value !== "0") return false;
    isOk = true;
  }
  return isOk;
}

/** Returns the error that headers or trailers say. Details that cannot be used leave the status as it is. */
function findError(fields: Headers): ConnectError | undefined {
  const detailed = fields.has("grpc-status-details-bin") ? findDetailed(fields) : undefined;
  return detailed ?? findPlain(fields);
}

function findDetailed(fields: Headers): ConnectError | undefined {
  try {
    const error = findTrailerError(fields);
    return error !== undefined && error.code in Code ? error : undefined;
  } catch {
    // The details cannot be decoded. The message is decoded again without them.
    return undefined;
  }
}

/** A code that gRPC does not have is `unknown`: https://github.com/grpc/grpc/blob/v1.71.0/doc/statuscodes.md */
function findPlain(fields: Headers): ConnectError | undefined {
  const status = fields.get("grpc-status");
  if (status === null || status === "0") return undefined;
  const message = decodeMessage(fields.get("grpc-message") ?? "");
  const code = /^\d+$/.test(status) ? Number(status) : Number.NaN;
  if (Code[code] !== undefined) return new ConnectError(message, code, fields);
  return new ConnectError(message || `invalid grpc-status: ${status}`, Code.Unknown, fields);
}

function decodeMessage(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

/** Decompresses a message of a response. @throws ConnectError, which is not the fault of the caller */
export async function decompressReply(
  data: Uint8Array,
  compression: Compression,
  readMaxBytes: number,
): Promise<Uint8Array> {
  try {
    return await compression.decompress(data, readMaxBytes);
  } catch (error) {
    const { code, rawMessage, cause } = ConnectError.from(error, Code.Internal);
    const own = code === Code.InvalidArgument ? Code.Internal : code;
    throw new ConnectError(rawMessage, own, undefined, undefined, cause);
  }
}
