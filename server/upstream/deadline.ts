// The deadline of a forwarded call, on its way to the upstream and back.
import type { ConnectError, HandlerContext } from "@connectrpc/connect";
import { isCancelReset, momentMs } from "../../client/tell-deadlines.js";
import { formatGrpcTimeout } from "../../client/timeout.js";
import { deadlineExceeded } from "../call/error.js";
import { createField, type Field } from "../http2/hpack/field.js";
import { passError } from "./metadata.js";

/** What is left of the caller's time, in milliseconds: at least 1, because 0 would be no deadline. */
export function timeLeftMs(context: HandlerContext): number | undefined {
  const left = context.timeoutMs();
  return left === undefined ? undefined : Math.max(1, Math.ceil(left));
}

/** The fields, and `grpc-timeout` if there is a deadline. */
export function timeoutFields(fields: readonly Field[], context: HandlerContext): readonly Field[] {
  const left = timeLeftMs(context);
  return left === undefined ? fields : [...fields, createField("grpc-timeout", formatGrpcTimeout(left))];
}

/** The error of a call that the upstream has reset, which it may do at the deadline a moment before we do. */
export function brokenError(error: ConnectError, context: HandlerContext): ConnectError {
  const left = context.timeoutMs();
  const isAtDeadline = left !== undefined && left <= momentMs && isCancelReset(error);
  return isAtDeadline ? deadlineExceeded() : passError(error);
}
