// The schemas of error responses: google.rpc.Status in JSON over REST
// (google/rpc/status.proto), and Connect's error (https://connectrpc.com/docs/protocol/#error-end-stream).
import type { ErrorShape } from "../rest/error/errors.js";
import type { Components } from "./components.js";
import type { Response, Schema } from "./types.js";

const code: Schema = {
  type: "integer",
  minimum: 1,
  maximum: 16,
  description: "A code of google.rpc.Code, such as 3 for INVALID_ARGUMENT or 5 for NOT_FOUND.",
};
const message: Schema = { type: "string", description: "What went wrong, for developers." };
const details: Schema = {
  type: "array",
  description: "Messages that say more, such as a google.rpc.BadRequest with the fields at fault.",
  items: {
    type: "object",
    properties: { "@type": { type: "string" } },
    required: ["@type"],
    additionalProperties: true,
  },
};

const status: Schema = {
  type: "object",
  title: "google.rpc.Status",
  description: "An error.",
  properties: { code, message, details },
  required: ["code", "message", "details"],
};

/** https://google.aip.dev/193 */
const googleError: Schema = {
  type: "object",
  description: "An error, as Google's own APIs have it.",
  properties: {
    error: {
      type: "object",
      properties: {
        code: { type: "integer", description: "The HTTP status." },
        message,
        status: { type: "string", description: "The name of a code of google.rpc.Code, such as NOT_FOUND." },
        details,
      },
      required: ["code", "message", "status", "details"],
    },
  },
  required: ["error"],
};

const connectError: Schema = {
  type: "object",
  description: "An error of the Connect protocol.",
  properties: {
    code: {
      type: "string",
      enum: [
        ...["canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists"],
        ...["permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range"],
        ...["unimplemented", "internal", "unavailable", "data_loss", "unauthenticated"],
      ],
    },
    message,
    details: {
      type: "array",
      description: "Messages that say more.",
      items: {
        type: "object",
        properties: {
          type: { type: "string", description: "The message's full name." },
          value: { type: "string", description: "The message in protobuf's binary form, as base64 without padding." },
          debug: { description: "The message as JSON, for people." },
        },
        required: ["type", "value"],
      },
    },
  },
  required: ["code"],
};

/** The schema of an error over REST. What a function makes of errors cannot be known. */
export function restErrorSchema(components: Components, shape: ErrorShape = "status"): Schema {
  if (typeof shape === "function") return {};
  return components.schema("rest-error", () => (shape === "google" ? googleError : status));
}

/** The schema of an error over Connect. */
export function connectErrorSchema(components: Components): Schema {
  return components.schema("connect-error", () => connectError);
}

/** The responses that are no replies, by status. */
export function errorResponses(schema: Schema): { 400: Response; default: Response } {
  const content = { "application/json": { schema } };
  return {
    400: { description: "The request is not what the schema asks for, or not what the method can do.", content },
    default: { description: "Any other error.", content },
  };
}
