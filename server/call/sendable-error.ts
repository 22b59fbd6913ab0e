// Takes out of an error what no protocol can carry, so that the rest of it reaches the client.

import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { isFieldValue } from "../http/header.js";
import { shorten } from "../quote.js";
import { isErrorCode, toConnectError } from "./error.js";

type Detail = ConnectError["details"][number];

/** An error that every protocol can carry. */
export interface SendableError {
  readonly error: ConnectError;
  /** What was changed or left out, a sentence each, for the log. */
  readonly warnings: readonly string[];
}

/**
 * Headers that belong to the protocols, and so are no metadata. An error that a handler passes on from a call of its own
 * carries that call's headers, which would overwrite ours. The list is connect-go's, without the lists of compressions,
 * which a protocol's own error names.
 */
const protocolHeaders: ReadonlySet<string> = new Set([
  "connect-content-encoding",
  "connect-protocol-version",
  "connect-timeout-ms",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "grpc-status-details-bin",
  "grpc-timeout",
  "host",
  "keep-alive",
  "trailer",
  "transfer-encoding",
  "user-agent",
]);

/**
 * Returns the error without what cannot be sent:
 * - a code that is not one of gRPC's becomes `unknown`;
 * - lone surrogates in the message become U+FFFD;
 * - protocol headers are left out of the metadata; so are values with control characters, with a warning;
 * - details that cannot be serialised are left out, with a warning.
 */
export function toSendableError(error: ConnectError): SendableError {
  try {
    return repair(error);
  } catch (reason) {
    // A Proxy or a getter that throws.
    return { error: toConnectError(new Error("the error cannot be read", { cause: reason })), warnings: [] };
  }
}

function repair(error: ConnectError): SendableError {
  const warnings: string[] = [];
  const code = repairCode(error.code, warnings);
  const message = repairMessage(error.rawMessage, warnings);
  const metadata = [...repairMetadata(error.metadata, warnings)];
  const details = [...repairDetails(error.details, warnings)];
  const isSame =
    warnings.length === 0 &&
    message === error.rawMessage &&
    metadata.length === [...error.metadata].length &&
    details.every((detail, index) => detail === error.details[index]);
  if (isSame) return { error, warnings };
  const repaired = new ConnectError(message, code, metadata, undefined, error.cause);
  repaired.details = details;
  return { error: repaired, warnings };
}

function repairCode(code: unknown, warnings: string[]): Code {
  if (isErrorCode(code)) return code;
  warnings.push(`error code: expected an integer from 1 to 16, found ${shorten(String(code))}; sent as unknown`);
  return Code.Unknown;
}

function repairMessage(message: unknown, warnings: string[]): string {
  if (typeof message === "string") return message.toWellFormed();
  warnings.push(`error message: expected a string, found ${typeof message}; sent as empty`);
  return "";
}

function* repairMetadata(metadata: unknown, warnings: string[]): Generator<[name: string, value: string]> {
  if (!(metadata instanceof Headers)) {
    warnings.push("error metadata: expected Headers; not sent");
    return;
  }
  for (const [name, value] of metadata) {
    if (protocolHeaders.has(name)) continue;
    if (isFieldValue(value)) yield [name, value];
    else warnings.push(`error metadata ${shorten(name)}: control character in its value; not sent`);
  }
}

function* repairDetails(details: unknown, warnings: string[]): Generator<Detail> {
  if (!Array.isArray(details)) {
    warnings.push("error details: expected an array; not sent");
    return;
  }
  for (const [index, detail] of details.entries()) {
    try {
      yield repairDetail(detail);
    } catch (reason) {
      warnings.push(`error detail ${index} (${nameOf(detail)}): ${reasonOf(reason)}; not sent`);
    }
  }
}

/** @throws Error if the detail has no bytes */
function repairDetail(detail: Detail): Detail {
  if ("desc" in detail) {
    toBinary(detail.desc, create(detail.desc, detail.value));
    return detail;
  }
  const { type, value, debug } = detail;
  if (typeof type !== "string" || !type.isWellFormed()) throw new Error("expected the name of a type");
  if (!(value instanceof Uint8Array)) throw new Error("expected bytes");
  return isJson(debug) ? detail : { type, value };
}

/** Whether JSON can be made of a value, or there is none. */
function isJson(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

function nameOf(detail: unknown): string {
  const { desc, type } = (detail ?? {}) as { desc?: { typeName?: unknown }; type?: unknown };
  return shorten(String(desc?.typeName ?? type ?? "unknown type"));
}

function reasonOf(reason: unknown): string {
  return shorten(reason instanceof Error ? reason.message : String(reason), 200);
}

/** What of an error is sent. */
export interface Reduction {
  readonly hasDetails: boolean;
  readonly hasMetadata: boolean;
  readonly dropped?: string;
}

/** In the order in which they are tried: with gRPC details are in trailers, too. */
export const reductions: readonly Reduction[] = [
  { hasDetails: true, hasMetadata: true },
  { hasDetails: false, hasMetadata: true, dropped: "error details" },
  { hasDetails: true, hasMetadata: false, dropped: "response metadata" },
  { hasDetails: false, hasMetadata: false, dropped: "error details and response metadata" },
];

/** The error with less of it. */
export function reduce(error: ConnectError, { hasDetails, hasMetadata }: Reduction): ConnectError {
  if (hasDetails && hasMetadata) return error;
  const reduced = new ConnectError(error.rawMessage, error.code, hasMetadata ? error.metadata : undefined);
  if (hasDetails) reduced.details = error.details;
  return reduced;
}
