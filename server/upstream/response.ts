// What the headers and trailers of an upstream's response say, and what of them passes to the caller.
// https://github.com/grpc/grpc/blob/v1.71.0/doc/PROTOCOL-HTTP2.md#responses
import type { OutgoingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { checkResponse, readStatus } from "../../client/grpc/response.js";
import { toHeaders } from "../../client/http2/request-fields.js";
import { kindName, type Method } from "../call/method.js";
import type { ResponseFields } from "../http2/field-rules.js";
import type { Field } from "../http2/hpack/field.js";
import type { Encodings } from "./encodings.js";
import { passError, passFields } from "./metadata.js";

/** What the headers say. */
export class ResponseHead {
  /** The compression of messages; undefined without one. */
  readonly encoding: string | undefined;
  /** The application's headers; undefined without any. */
  readonly metadata: OutgoingHttpHeaders | undefined;

  constructor(encoding: string | undefined, metadata: OutgoingHttpHeaders | undefined) {
    this.encoding = encoding;
    this.metadata = metadata;
  }
}

/** How a response ends. */
export interface ResponseEnd {
  /** The application's trailers, and the status as it was sent. Undefined for a plain OK, and for a status that is malformed, or whose details are. */
  readonly trailers: OutgoingHttpHeaders | undefined;
  readonly error: ConnectError | undefined;
}

const ok: ResponseEnd = { trailers: undefined, error: undefined };

/** @throws ConnectError if they are not the headers of a response of gRPC */
export function readResponseHead(head: ResponseFields, encodings: Encodings): ResponseHead {
  if (head.memo instanceof ResponseHead) return head.memo;
  const headers = toHeaders(head.fields);
  checkResponse(head.status, headers, { useBinaryFormat: true });
  encodings.learn(headers.get("grpc-accept-encoding"));
  const encoding = headers.get("grpc-encoding") ?? "identity";
  const isPlain = encoding.toLowerCase() === "identity";
  const read = new ResponseHead(isPlain ? undefined : encoding, passFields(head.fields));
  head.memo = read;
  return read;
}

/** Reads the trailers of a response, or its headers if it has nothing else. */
export function readResponseEnd(fields: readonly Field[]): ResponseEnd {
  if (isPlainOk(fields)) return ok;
  const error = readStatus(fields, []);
  const passed = error && passError(error);
  const status = statusFields(fields);
  const hasDetails = status["grpc-status-details-bin"] === undefined || error?.details.length !== 0;
  if (status["grpc-status"] !== String(error?.code ?? 0) || !hasDetails) return { trailers: undefined, error: passed };
  return { trailers: { ...passFields(fields), ...status }, error: passed };
}

function isPlainOk(fields: readonly Field[]): boolean {
  const [first, second] = fields;
  if (first?.name !== "grpc-status" || first.value !== "0") return false;
  return fields.length === 1 || (fields.length === 2 && second?.name === "grpc-message" && second.value === "");
}

const statusNames: ReadonlySet<string> = new Set(["grpc-status", "grpc-message", "grpc-status-details-bin"]);

function statusFields(fields: readonly Field[]): Record<string, string> {
  return Object.fromEntries(fields.filter(({ name }) => statusNames.has(name)).map(({ name, value }) => [name, value]));
}

/** The error of a response in a compression that the request did not accept. */
export function unsupportedEncoding(encoding: string): ConnectError {
  return new ConnectError(`unsupported response encoding "${encoding}"`, Code.Internal);
}

/** The error of a response of status OK without the one message that it must have. */
export function missingOutput(kind: Method["kind"]): ConnectError {
  return new ConnectError(`protocol error: missing output message for ${kindName(kind)} method`, Code.Unimplemented);
}

/** The error of a response with more than one message where it must have one. */
export function extraOutput(kind: Method["kind"]): ConnectError {
  return new ConnectError(
    `protocol error: received extra output message for ${kindName(kind)} method`,
    Code.Unimplemented,
  );
}
