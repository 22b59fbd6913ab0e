// Encodes the message of a method as an HTTP request: path, query and body, by the first of the method's routes that
// can carry it. createRequestDecoder decodes it to the same message.
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { JsonCodec } from "../../codec/json.js";
import type { EncodeOptions } from "../response.js";
import type { Binding } from "../route/binding.js";
import { createBodyWriter, type RequestBody } from "./body.js";
import { createPathWriter } from "./path.js";
import { createQueryWriter } from "./query.js";
import { UnfitError } from "./unfit.js";

/** A request to be sent. */
export interface EncodedRequest {
  readonly binding: Binding;
  readonly httpMethod: string;
  /** The path, encoded. It begins with one "/", or with "//" if a value does. */
  readonly path: string;
  /** The query, encoded, without "?"; empty if there is none. */
  readonly query: string;
  readonly body: RequestBody;
}

/** @throws ConnectError `invalid_argument` if no route can carry the message */
export type RequestEncoder = (message: Message) => EncodedRequest;

interface RouteEncoder {
  readonly binding: Binding;
  isTelling(message: Message): boolean;
  /** @throws UnfitError */
  encode(message: Message): EncodedRequest;
}

/**
 * Prepares the writing of requests for one method.
 *
 * @param bindings those of the method, of which the first that can carry a message is taken: first among those whose path
 * variables all have a value, then among the others, whose path may say `0`
 */
export function createRequestEncoder(
  codec: JsonCodec,
  bindings: readonly Binding[],
  options: EncodeOptions = {},
): RequestEncoder {
  const routes = bindings.map((binding) => createRouteEncoder(codec, binding, options));
  return (message) => {
    const reasons: string[] = [];
    for (const { binding, encode } of [...routes.filter((route) => route.isTelling(message)), ...routes]) {
      try {
        return encode(message);
      } catch (error) {
        if (!(error instanceof UnfitError)) throw error;
        reasons.push(`${binding.label}: ${error.message}`);
      }
    }
    const text = ["no route can carry the message", ...new Set(reasons)].join("; ");
    throw new ConnectError(text, Code.InvalidArgument);
  };
}

function createRouteEncoder(codec: JsonCodec, binding: Binding, options: EncodeOptions): RouteEncoder {
  const path = createPathWriter(binding);
  const writeQuery = createQueryWriter(binding);
  const writeBody = createBodyWriter(codec, binding, options);
  const { requestBody } = binding;
  const anyMethod = requestBody.kind === "none" ? "GET" : "POST";
  const httpMethod = binding.httpMethod === "*" ? anyMethod : binding.httpMethod;
  return {
    binding,
    isTelling: path.isTelling,
    encode: (message) => ({
      binding,
      httpMethod,
      path: path.write(message),
      query: writeQuery(message),
      body: writeBody(message),
    }),
  };
}
