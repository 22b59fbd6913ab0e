// Turns a binding of google.api.http into an operation: parameters from its path and query, bodies, and the forms of its
// streams, as server/transcode/ reads and writes them.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { pathClaimsOf } from "../rest/claims.js";
import { hasImplicitPresence, isNested } from "../rest/fields.js";
import type { Binding, BodyBinding } from "../rest/route/binding.js";
import type { Comments } from "./comments.js";
import { describeMethod } from "./describe-method.js";
import { errorResponses } from "./errors.js";
import { describeResponses } from "./gateway-responses.js";
import type { MessageSchemas } from "./message-schema.js";
import { expandPath } from "./path-parameters.js";
import { queryParameters } from "./query-parameters.js";
import { hasRequired, isRequired, isRequiredBeside } from "./required.js";
import type { Content, Operation, Schema } from "./types.js";

/** What operations of one document share. */
export interface OperationContext {
  readonly comments: Comments;
  /** What is sent, and what comes back. */
  readonly input: MessageSchemas;
  readonly output: MessageSchemas;
  readonly error: Schema;
  /** Whether the mask of a PATCH is made from its body where it is not sent. */
  readonly hasPatchMask: boolean;
}

/** An operation and its place. */
export interface PlacedOperation {
  readonly path: string;
  /** For each parameter of the path the field that it is; undefined for a part of a field, and for no field. */
  readonly fieldNames: readonly (string | undefined)[];
  /** In small letters. */
  readonly httpMethod: string;
  readonly operation: Omit<Operation, "operationId" | "tags">;
  /** Whether the path of the route is more than OpenAPI can say: other routes may have the same path here. */
  readonly isLoose: boolean;
}

/** Makes the operation of a binding, whose id names the schema of its body if that is no message. */
export function restOperation(binding: Binding, operationId: string, context: OperationContext): PlacedOperation {
  const { comments, input, error } = context;
  const { method, httpMethod } = binding;
  const { path, parameters, fieldNames } = expandPath(binding, input, comments);
  const all = [...parameters, ...queryParameters(binding, context)];
  const requestBody = requestBodyOf(binding, operationId, context);
  const anyMethod = requestBody === undefined ? "get" : "post";
  return {
    path,
    fieldNames,
    httpMethod: httpMethod === "*" ? anyMethod : httpMethod.toLowerCase(),
    operation: {
      ...describeMethod(method, comments, notesOf(binding)),
      ...(all.length > 0 ? { parameters: all } : {}),
      ...(requestBody === undefined ? {} : { requestBody }),
      responses: describeResponses(method, {
        200: {
          description: [comments.get(method.output.typeName) ?? "The response.", streamNotes(binding)]
            .flat()
            .join("\n\n"),
          content: replyContent(binding, context),
        },
        ...errorResponses(error),
      }),
    },
    isLoose: binding.template.segments.some(({ kind }) => kind === "multi"),
  };
}

function notesOf({ method, httpMethod }: Binding): string[] {
  return [
    httpMethod === "*" ? "Any HTTP method will do." : [],
    method.methodKind === "bidi_streaming" ? "Needs HTTP/2: replies come while requests are still being sent." : [],
  ].flat();
}

/** What comes without an `Accept` header, and how a stream says that it failed. */
function streamNotes({ method, responseBody }: Binding): string[] {
  if (method.methodKind !== "server_streaming" || responseBody.kind === "bytes") return [];
  const forms =
    "`Accept` chooses the form: a JSON array, lines or server-sent events. Without it, the form is a JSON array.";
  return [`${forms} An error after the first message is the last item: \`{"error": …}\`.`];
}

/** The server takes and sends any type, which many clients cannot read as a range of types. */
const binary: Content = { "application/octet-stream": { schema: { type: "string", format: "binary" } } };

function requestBodyOf(binding: Binding, operationId: string, context: OperationContext): Operation["requestBody"] {
  const { requestBody, method } = binding;
  if (requestBody.kind === "none") return undefined;
  if (requestBody.kind === "bytes") {
    const { field } = requestBody;
    return { required: field !== undefined && isRequired(field), content: binary };
  }
  const { schema, required } = jsonBody(binding, requestBody.field, `${operationId}-body`, context);
  const { methodKind } = method;
  if (methodKind === "bidi_streaming") return { required: false, content: linesOf(schema) };
  if (methodKind !== "client_streaming") return { required, content: { "application/json": { schema } } };
  return { required: false, content: { ...arrayOf(schema), ...linesOf(schema) } };
}

function jsonBody(binding: Binding, field: DescField | undefined, name: string, { input }: OperationContext) {
  const claims = pathClaimsOf(binding);
  if (field !== undefined) {
    const inField = claims.get(field);
    const isPart = inField !== undefined && inField !== "whole" && isNested(field);
    const schema = isPart ? input.rest(name, field.message, inField) : input.field(field);
    return { schema, required: isRequiredBeside(field, inField) };
  }
  const desc = binding.method.input;
  return {
    schema: claims.size === 0 ? input.message(desc) : input.rest(name, desc, claims),
    required: hasRequired(desc, claims),
  };
}

function replyContent(binding: Binding, { output, error }: OperationContext): Content {
  const { method, responseBody } = binding;
  if (responseBody.kind === "bytes") return binary;
  const schema = replySchema(method.output, responseBody, output);
  const { methodKind } = method;
  if (methodKind === "bidi_streaming") return linesOf(schema);
  if (methodKind !== "server_streaming") return { "application/json": { schema } };
  return { ...arrayOf(itemSchema(binding, schema, error)), ...linesOf(schema), ...eventsOf(schema) };
}

/**
 * The last item may be `{"error": …}`. A message's schema allows it, so that it stands alone: generators do not find
 * a message among alternatives.
 */
function itemSchema({ method, responseBody }: Binding, schema: Schema, error: Schema): Schema {
  const isMessage = responseBody.kind === "json" && responseBody.field === undefined;
  const { fields } = method.output;
  const isOpen =
    isMessage &&
    !hasCustomJsonRepresentation(method.output) &&
    fields.every(({ name, jsonName }) => ![name, jsonName].includes("error"));
  if (isOpen) return schema;
  return { anyOf: [schema, { type: "object", properties: { error }, required: ["error"] }] };
}

function replySchema(desc: DescMessage, { field }: BodyBinding & { kind: "json" }, output: MessageSchemas): Schema {
  if (field === undefined) return output.message(desc);
  const isAlwaysThere = field.fieldKind === "list" || field.fieldKind === "map" || hasImplicitPresence(field);
  return isAlwaysThere ? output.field(field) : { anyOf: [output.field(field), { type: "null" }] };
}

function arrayOf(schema: Schema): Content {
  return { "application/json": { schema: { type: "array", items: schema } } };
}

function linesOf(schema: Schema): Content {
  const type = "application/x-ndjson";
  const description = "One JSON value a line, each as in `contentSchema`.";
  return { [type]: { schema: { type: "string", description, contentMediaType: type, contentSchema: schema } } };
}

function eventsOf(schema: Schema): Content {
  const type = "text/event-stream";
  const description =
    "Server-sent events, whose `data` is one JSON value, as in `contentSchema`; the event `error` is an error.";
  return { [type]: { schema: { type: "string", description, contentMediaType: type, contentSchema: schema } } };
}
