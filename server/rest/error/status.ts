// Turns gRPC codes into HTTP statuses and back: google/rpc/code.proto, "HTTP Mapping" of each code.
import { Code } from "@connectrpc/connect";

const statuses: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/** Status → the most likely code: of several codes with the same status, the most general. */
const codes: ReadonlyMap<number, Code> = new Map([
  [400, Code.InvalidArgument],
  [401, Code.Unauthenticated],
  [403, Code.PermissionDenied],
  [404, Code.NotFound],
  [405, Code.Unimplemented],
  [408, Code.DeadlineExceeded],
  [409, Code.Aborted],
  [412, Code.FailedPrecondition],
  [413, Code.ResourceExhausted],
  [416, Code.OutOfRange],
  [429, Code.ResourceExhausted],
  [499, Code.Canceled],
  [500, Code.Internal],
  [501, Code.Unimplemented],
  [502, Code.Unavailable],
  [503, Code.Unavailable],
  [504, Code.DeadlineExceeded],
]);

/** The HTTP status of an error. */
export function codeToStatus(code: Code): number {
  return statuses[code];
}

/**
 * The code for an error response without a code, such as one of a proxy. Other statuses from 400 are
 * `failed_precondition`, from 500 `internal`, and below 400, which are not errors in HTTP, `unknown`.
 */
export function statusToCode(status: number): Code {
  const code = codes.get(status);
  if (code !== undefined) return code;
  if (status >= 500) return Code.Internal;
  return status >= 400 ? Code.FailedPrecondition : Code.Unknown;
}

/** The names of google.rpc.Code. */
const codeNames: Readonly<Record<Code, string>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.Unknown]: "UNKNOWN",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.Aborted]: "ABORTED",
  [Code.OutOfRange]: "OUT_OF_RANGE",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.DataLoss]: "DATA_LOSS",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
};

const namedCodes: ReadonlyMap<string, Code> = new Map(
  Object.entries(codeNames).map(([code, name]) => [name, Number(code)]),
);

/** The name of a code in google.rpc.Code, `NOT_FOUND`. */
export function codeToName(code: Code): string {
  return codeNames[code];
}

/** @returns undefined if there is no such name, or it is OK */
export function nameToCode(name: string): Code | undefined {
  return namedCodes.get(name);
}

/** @returns undefined if there is no such code, or it is 0 */
export function numberToCode(number: number): Code | undefined {
  return Object.hasOwn(codeNames, number) ? number : undefined;
}
