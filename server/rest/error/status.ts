// Turns gRPC codes into HTTP statuses and back: google/rpc/code.proto, "HTTP Mapping" of each code.
import { Code } from "@connectrpc/connect";
import { codeFromString, codeToString } from "@connectrpc/connect/protocol-connect";

const statuses: ReadonlyMap<Code, number> = new Map([
  [Code.Canceled, 499],
  [Code.Unknown, 500],
  [Code.InvalidArgument, 400],
  [Code.DeadlineExceeded, 504],
  [Code.NotFound, 404],
  [Code.AlreadyExists, 409],
  [Code.PermissionDenied, 403],
  [Code.ResourceExhausted, 429],
  [Code.FailedPrecondition, 400],
  [Code.Aborted, 409],
  [Code.OutOfRange, 400],
  [Code.Unimplemented, 501],
  [Code.Internal, 500],
  [Code.Unavailable, 503],
  [Code.DataLoss, 500],
  [Code.Unauthenticated, 401],
]);

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
  return statuses.get(code) ?? 500;
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

/** The name of a code in google.rpc.Code, `NOT_FOUND`. */
export function codeToName(code: Code): string {
  return code === Code.Canceled ? "CANCELLED" : codeToString(code).toUpperCase();
}

/** @returns undefined if there is no such name, or it is OK */
export function nameToCode(name: string): Code | undefined {
  const code = name === "CANCELLED" ? Code.Canceled : codeFromString(name.toLowerCase());
  return code !== undefined && codeToName(code) === name ? code : undefined;
}

/** @returns undefined if there is no such code, or it is 0 */
export function numberToCode(number: number): Code | undefined {
  return Object.hasOwn(Code, number) ? number : undefined;
}
