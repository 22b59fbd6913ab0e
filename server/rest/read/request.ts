// Decodes path, query and body of an HTTP request to the message of a method: google/api/http.proto, "Rules for
// HTTP mapping". Each field is set by one of them: the path, else the body, else the query.
import { create, type DescMessage, type Message, type MessageInitShape, type Registry } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CodeOptions } from "../../codec/code.js";
import { ElementLimitError } from "../../codec/element-limit.js";
import type { JsonCodec } from "../../codec/json.js";
import type { JsonDecodeOptions } from "../../codec/json-read.js";
import { createRequiredCheck, MissingFieldError } from "../../codec/required.js";
import { badField } from "../error/bad-request.js";
import type { MessageField } from "../fields.js";
import { decodePercent, decodeSegments, type KeptEncoded } from "../percent.js";
import type { Binding, BodyBinding, BoundVariable } from "../route/binding.js";
import { createJsonReader } from "./body.js";
import { createMaskReader } from "./patch-mask.js";
import { createPlace, parseAt, setAt } from "./place.js";
import { createQueryReader, type QueryOptions } from "./query.js";

/** Options of reading requests. */
export interface DecodeOptions extends QueryOptions, CodeOptions {
  /** Whether unknown fields and enum values in a body are ignored. Default true, as in every protocol. */
  readonly ignoreUnknownFields?: boolean;
  /** Types that a `google.protobuf.Any` may hold, and extensions. They come before those of the served files. */
  readonly registry?: Registry;
  /** Maximum number of elements of the message in a JSON body. Default: no limit. */
  readonly maxElements?: number | undefined;
  /**
   * Whether a PATCH request without a FieldMask gets one, made from the members of its body: where the body is a field, and
   * the request has one FieldMask. Default true, as in grpc-gateway.
   */
  readonly patchMask?: boolean;
  /** What stays encoded in a variable of several segments. Default "slash". */
  readonly keptEncoded?: KeptEncoded;
}

/** The parts of a request that become its message. */
interface ReceivedRequest {
  /** The raw values of the path's variables, as the routes found them. */
  readonly captures: readonly string[];
  /** The raw query, without "?". */
  readonly query: string;
  /** The Content-Type header as it was sent. Only google.api.HttpBody uses it. */
  readonly contentType?: string | undefined;
  /** The body, decompressed; empty if there was none. A google.api.HttpBody keeps it, without copying. */
  readonly body: Uint8Array;
}

/**
 * @throws ConnectError `invalid_argument`, with the field in a google.rpc.BadRequest if one is at fault;
 * `resource_exhausted` if the body has more elements than `maxElements`
 */
export type RequestDecoder = (request: ReceivedRequest) => Message;

/**
 * Prepares the reading of requests for one binding.
 *
 * Each message of a client stream is such a request: its own body, with the captures and the query of the stream.
 */
export function createRequestDecoder(binding: Binding, options: DecodeOptions = {}): RequestDecoder {
  const readBody = createBodyDecoder(createJsonReader, binding.method.input, binding.requestBody, options);
  const readPath = createPathReader(binding, options.keptEncoded ?? "slash");
  const readQuery = createQueryReader(binding, options);
  const { patchMask = true, queryParameterLimit = 1_000, queryDepthLimit = 32 } = options;
  const limits = { paths: queryParameterLimit, depth: queryDepthLimit };
  const setMask = patchMask ? createMaskReader(binding, limits) : undefined;
  const checkRequired = createRequiredCheck(binding.method.input);
  return (request) => {
    try {
      const message = readBody(request);
      readPath(request.captures, message);
      readQuery(request.query, message);
      setMask?.(request.body, message);
      checkRequired?.(message);
      return message;
    } catch (error) {
      throw toRequestError(error);
    }
  };
}

function toRequestError(error: unknown): unknown {
  if (error instanceof ElementLimitError) return new ConnectError(error.message, Code.ResourceExhausted);
  if (error instanceof MissingFieldError) return badField(error.field, error.problem);
  return error;
}

/** A body with its type. */
export type ReceivedBody = Pick<ReceivedRequest, "body" | "contentType">;

/** Prepares the reading of bodies. An empty body is the empty message. */
export function createBodyDecoder(
  createReader: JsonCodec["createDecoder"],
  desc: DescMessage,
  binding: BodyBinding,
  { ignoreUnknownFields = true, registry, maxElements, compiles = true }: DecodeOptions,
): (body: ReceivedBody) => Message {
  if (binding.kind === "none") return () => create(desc);
  if (binding.kind === "bytes") return bytesReader(desc, binding.field);
  const options: JsonDecodeOptions = { ignoreUnknownFields, registry, maxElements, compiles };
  const readJson = createReader(desc, options, binding.field);
  return ({ body }) => (body.length === 0 ? create(desc) : readJson(body));
}

function bytesReader(desc: DescMessage, field: MessageField | undefined): (body: ReceivedBody) => Message {
  const wrap = (httpDesc: DescMessage, { body, contentType = "" }: ReceivedBody) =>
    create(httpDesc, { contentType, data: body } as MessageInitShape<DescMessage>);
  if (field === undefined) return (body) => wrap(desc, body);
  return (body) => {
    const message = reflect(desc);
    const isSent = body.body.length > 0 || body.contentType !== undefined;
    if (isSent) message.set(field, reflect(field.message, wrap(field.message, body)));
    return message.message;
  };
}

/** Sets the fields of the path, replacing what the body has set. */
function createPathReader(
  binding: Binding,
  kept: KeptEncoded,
): (captures: readonly string[], message: Message) => void {
  const places = binding.variables.map((variable) => createVariableReader(variable, kept));
  if (places.length === 0) return () => {};
  const { input } = binding.method;
  return (captures, message) => {
    const target = reflect(input, message);
    places.forEach(({ place, decode }, index) => {
      setAt(target, place, parseAt(place, decode(captures[index] ?? "")));
    });
  };
}

function createVariableReader({ fields, isMultiSegment }: BoundVariable, kept: KeptEncoded) {
  const place = createPlace(fields);
  if (place === undefined) throw new Error("a binding has a variable that no text can be a value of");
  const decode = (raw: string) => (isMultiSegment ? decodeSegments(raw, kept) : (decodePercent(raw) ?? raw));
  return { place, decode };
}
