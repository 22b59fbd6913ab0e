// Turns a unary method into its operations over Connect: a POST, and a GET for a method without side effects
// (https://connectrpc.com/docs/protocol/#unary-request, #unary-get-request). Streams have frames, which OpenAPI cannot say.
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Method } from "../call/method.js";
import { describeMethod } from "./describe-method.js";
import { errorResponses } from "./errors.js";
import type { OperationContext, PlacedOperation } from "./rest-operation.js";
import type { Content, Operation, Parameter, Schema } from "./types.js";

/** The operations of a method; none, if it is a stream or not served over Connect. */
export function connectOperations(method: Method, context: OperationContext): PlacedOperation[] {
  const { spec, path, protocols } = method;
  if (spec.kind !== "unary" || !protocols.has("connect")) return [];
  const place = { path, fieldNames: [], isLoose: false };
  const post = { ...place, httpMethod: "post", operation: postOperation(method, context) };
  const isReadable = spec.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  return isReadable ? [post, { ...place, httpMethod: "get", operation: getOperation(method, context) }] : [post];
}

type Unnamed = Omit<Operation, "operationId" | "tags">;

function postOperation({ spec, options }: Method, context: OperationContext): Unnamed {
  const schema = context.input.message(spec.method.input);
  return {
    ...describeMethod(spec.method, context.comments),
    parameters: [
      {
        name: "Connect-Protocol-Version",
        in: "header",
        required: options.requireConnectProtocolHeader,
        schema: { type: "string", enum: ["1"] },
      },
      timeout,
    ],
    requestBody: { required: true, content: { "application/json": { schema } } },
    responses: responsesOf(spec.method.output, context),
  };
}

function getOperation({ spec, options }: Method, context: OperationContext): Unnamed {
  const schema = context.input.message(spec.method.input);
  return {
    ...describeMethod(spec.method, context.comments),
    parameters: [
      {
        name: "connect",
        in: "query",
        required: options.requireConnectProtocolHeader,
        schema: { type: "string", enum: ["v1"] },
      },
      { name: "encoding", in: "query", required: true, schema: { type: "string", enum: ["json"] } },
      {
        name: "message",
        in: "query",
        required: true,
        description: "The request as JSON.",
        schema: { type: "string", contentMediaType: "application/json", contentSchema: schema },
      },
      timeout,
    ],
    responses: responsesOf(spec.method.output, context),
  };
}

const plainText: Content = { "text/plain": { schema: { type: "string" } } };

const timeout: Parameter = {
  name: "Connect-Timeout-Ms",
  in: "header",
  description: "How long the client waits for the response, in milliseconds.",
  schema: { type: "integer", format: "int64", minimum: 1, maximum: 9_999_999_999 },
};

function responsesOf(output: Parameters<OperationContext["output"]["message"]>[0], context: OperationContext) {
  const schema: Schema = context.output.message(output);
  const description = context.comments.get(output.typeName) ?? "The response.";
  return {
    200: { description, content: { "application/json": { schema } } },
    ...errorResponses(context.error),
    415: { description: "The content type or encoding is not supported.", content: plainText },
  };
}
