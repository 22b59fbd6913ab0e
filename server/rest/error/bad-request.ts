// The errors of requests that do not fit the schema: `invalid_argument`, with the field in a google.rpc.BadRequest
// (google/rpc/error_details.proto).
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { shorten } from "../../quote.js";

/**
 * @param field the field path in proto names, or the name as the client sent it if there is no such field
 * @param description what is wrong, as the end of a sentence that begins with the field
 */
export function badField(field: string, description: string, cause?: unknown): ConnectError {
  const name = shorten(field);
  const detail = { desc: BadRequestSchema, value: { fieldViolations: [{ field: name, description }] } };
  return new ConnectError(`${name}: ${description}`, Code.InvalidArgument, undefined, [detail], cause);
}

/** An error without a field. */
export function badRequest(message: string, cause?: unknown): ConnectError {
  return new ConnectError(message, Code.InvalidArgument, undefined, undefined, cause);
}
