// The errors of requests that do not fit the schema: `invalid_argument`, with the field in a google.rpc.BadRequest
// (google/rpc/error_details.proto).
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.js";

/** How much of a client's own text an error repeats, in UTF-16 units. */
const echoLimit = 100;

/**
 * @param field the field path in proto names, or the name as the client sent it if there is no such field
 * @param description what is wrong, as the end of a sentence that begins with the field
 */
export function badField(field: string, description: string, cause?: unknown): ConnectError {
  const name = echo(field);
  const detail = { desc: BadRequestSchema, value: { fieldViolations: [{ field: name, description }] } };
  return new ConnectError(`${name}: ${description}`, Code.InvalidArgument, undefined, [detail], cause);
}

/** An error that no field is the cause of. */
export function badRequest(message: string, cause?: unknown): ConnectError {
  return new ConnectError(message, Code.InvalidArgument, undefined, undefined, cause);
}

/** Quotes a client's text, shortened. */
export function quote(text: string): string {
  return JSON.stringify(echo(text));
}

function echo(text: string): string {
  return text.length > echoLimit ? `${text.slice(0, echoLimit).toWellFormed()}…` : text.toWellFormed();
}
