// What the headers and trailers of a response say of its call.
// https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-HTTP2.md#responses
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { findTrailerError, validateResponseWithCompression } from "@connectrpc/connect/protocol-grpc";
import type { ResponseFields } from "../../server/http2/field-rules.js";
import type { Field } from "../../server/http2/hpack/field.js";
import { toHeaders } from "../http2/request-fields.js";

/** What the headers say. */
export interface HeadFacts {
  /** Whether they have a status, so that trailers need none. */
  readonly foundStatus: boolean;
  /** The error that the status in them is. */
  readonly headerError: ConnectError | undefined;
  /** How messages are compressed. */
  readonly compression: Compression | undefined;
}

/** A head that means the same in each call. An error is made anew. */
class KnownFacts implements HeadFacts {
  readonly foundStatus: boolean;
  readonly headerError = undefined;
  readonly compression: Compression | undefined;

  constructor(foundStatus: boolean, compression: Compression | undefined) {
    this.foundStatus = foundStatus;
    this.compression = compression;
  }
}

/** @throws ConnectError if it is not the head of a response of gRPC */
export function readHead(head: ResponseFields, acceptCompression: Compression[]): HeadFacts {
  if (head.memo instanceof KnownFacts) return head.memo;
  const facts = validateResponseWithCompression(acceptCompression, head.status, toHeaders(head.fields));
  const { foundStatus, compression, headerError } = facts;
  if (headerError !== undefined) return { foundStatus, compression, headerError };
  const known = new KnownFacts(foundStatus, compression);
  head.memo = known;
  return known;
}

/** Returns the error that a call ends with, by its trailers, or undefined if it has succeeded. */
export function readTrailers(
  trailers: readonly Field[],
  head: readonly Field[],
  foundStatus: boolean,
): ConnectError | undefined {
  if (isOk(trailers)) return undefined;
  const error = findError(toHeaders(trailers));
  if (error !== undefined) {
    for (const { name, value } of head) error.metadata.append(name, value);
    return error;
  }
  if (foundStatus || trailers.some(({ name }) => name === "grpc-status")) return undefined;
  return new ConnectError("protocol error: missing status", Code.Internal);
}

function isOk(trailers: readonly Field[]): boolean {
  let isOk = false;
  for (let index = 0; index < trailers.length; index++) {
    const { name, value } = trailers[index] as Field;
    if (name === "grpc-status") isOk = value === "0";
    else if (name === "grpc-status-details-bin") return false;
  }
  return isOk;
}

/** Details or a message that cannot be decoded leave the status as it is. */
function findError(trailers: Headers): ConnectError | undefined {
  try {
    return findTrailerError(trailers);
  } catch (error) {
    const code = Number(trailers.get("grpc-status"));
    if (Code[code] === undefined) return ConnectError.from(error);
    return new ConnectError(decodeMessage(trailers.get("grpc-message") ?? ""), code, trailers);
  }
}

function decodeMessage(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
