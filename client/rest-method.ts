/** Encodes requests and decodes responses of one method over REST. */
import type { DescMethod, JsonReadOptions, JsonWriteOptions, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { JsonCodec } from "../server/codec/json.js";
import { createResponseDecoder } from "../server/rest/response.js";
import type { Binding } from "../server/rest/route/binding.js";
import type { HttpConfig } from "../server/rest/route/http-config.js";
import { methodName, readMethodRules } from "../server/rest/route/method-rules.js";
import { createRequestEncoder, type EncodedRequest, type RequestEncoder } from "../server/rest/write/request.js";

/** Connect's own options of JSON. */
export type JsonOptions = Partial<JsonReadOptions & JsonWriteOptions>;

/** Reads the body of a response. Throws a ConnectError `internal` if it does not fit the schema. */
export type ResponseDecoder = ReturnType<typeof createResponseDecoder>;

export interface RestMethod {
  /** Writes a message by the first route that can carry it. Throws a ConnectError `invalid_argument` if none can. */
  encode: RequestEncoder;
  /** The same by one route. */
  encoderOf(binding: Binding): RequestEncoder;
  decoderOf(binding: Binding): ResponseDecoder;
}

/**
 * Looks methods up. The look-up throws a ConnectError `unimplemented` for a method without a route that can be used. Rules
 * of `http` replace the annotations of their methods.
 *
 * @param compiles whether code may be made of message types
 */
export function createRestMethods(
  codec: JsonCodec,
  json: JsonOptions = {},
  http?: HttpConfig["http"],
  compiles = true,
): (method: DescMethod) => RestMethod {
  return remember((method) => {
    const name = methodName(method);
    const override = http?.rules.findLast(({ selector }) => selector === name);
    return createRestMethod(codec, method, readMethodRules(method, override), json, compiles);
  });
}

/** @param rules the bindings of the method, and a text for each that is wrong */
function createRestMethod(
  codec: JsonCodec,
  method: DescMethod,
  rules: readonly (Binding | string)[],
  json: JsonOptions,
  compiles: boolean,
): RestMethod {
  const bindings = rules.filter((rule) => typeof rule !== "string");
  if (bindings.length === 0) {
    const [problem] = rules.filter((rule) => typeof rule === "string");
    throw new ConnectError(problem ?? `${methodName(method)}: expected a google.api.http route`, Code.Unimplemented);
  }
  const { ignoreUnknownFields = true, registry } = json;
  const reading = { compiles, ignoreUnknownFields, ...(registry !== undefined && { registry }) };
  const writing = {
    compiles,
    emitDefaults: json.alwaysEmitImplicit === true,
    useProtoNames: json.useProtoFieldName === true,
    enumsAsNumbers: json.enumAsInteger === true,
    ...(registry !== undefined && { registry }),
  };
  return {
    encode: createRequestEncoder(codec, bindings, writing),
    encoderOf: remember((binding) => createRequestEncoder(codec, [binding], writing)),
    decoderOf: remember((binding) => createResponseDecoder(codec, binding, reading)),
  };
}

/** Caches the value of each key. */
function remember<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

/** The requests of a client stream. The first one determines the path. */
export interface RequestStream {
  first: EncodedRequest;
  /** The body: JSON on lines, or bytes as they come. */
  body: AsyncIterable<Uint8Array>;
  contentType: string | undefined;
}

/**
 * Opens a stream of requests. Throws a ConnectError `invalid_argument` if the route has no body to put a stream in; its
 * body throws the same for a message that would belong elsewhere.
 */
export async function openRequestStream(
  method: RestMethod,
  messages: AsyncIterable<Message>,
  empty: Message,
): Promise<RequestStream> {
  const iterator = messages[Symbol.asyncIterator]();
  const opening = await iterator.next();
  const first = method.encode(opening.done === true ? empty : opening.value);
  const { kind } = first.binding.requestBody;
  if (kind === "none") {
    throw new ConnectError(`${first.binding.label}: a stream needs a route with a body`, Code.InvalidArgument);
  }
  async function* body() {
    if (opening.done === true) return;
    yield toPiece(first);
    const encode = method.encoderOf(first.binding);
    for await (const message of { [Symbol.asyncIterator]: () => iterator }) {
      const next = encode(message);
      if (next.path !== first.path || next.query !== first.query) {
        const text = `expected every message of the stream to belong to ${first.path}, found ${next.path}`;
        throw new ConnectError(text, Code.InvalidArgument);
      }
      yield toPiece(next);
    }
  }
  const contentType = first.body.kind === "bytes" ? first.body.contentType : "application/x-ndjson";
  return { first, body: body(), contentType };
}

/** One message of a stream: a line of JSON, in which `null` is a field that is not set, or bytes. */
function toPiece({ body }: EncodedRequest): Uint8Array {
  if (body.kind === "bytes") return body.data;
  return encoder.encode(`${body.kind === "json" ? body.text : "null"}\n`);
}

const encoder = new TextEncoder();
