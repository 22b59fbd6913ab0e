// Encodes the reply of a method as the body of an HTTP response and back: the whole reply or its `response_body` field,
// as JSON or as the bytes of a google.api.HttpBody (google/api/http.proto, google/api/httpbody.proto).
import type { DescField, DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpBody } from "../../gen/google/api/httpbody_pb.js";
import type { CodeOptions } from "../codec/code.js";
import { type JsonCodec, ownJson } from "../codec/json.js";
import type { JsonEncodeOptions, Omitted } from "../codec/json-write.js";
import type { MessageField } from "./fields.js";
import { createBodyDecoder, type DecodeOptions, type ReceivedBody } from "./read/request.js";
import type { Binding, BodyBinding } from "./route/binding.js";

/** How JSON is written. */
export interface EncodeOptions extends CodeOptions {
  /** Whether fields without presence are written when they have their default value. Default false. */
  readonly emitDefaults?: boolean;
  /** Whether fields have the names of the proto. Default false: those of JSON. */
  readonly useProtoNames?: boolean;
  /** Whether enum values are numbers. Default false: names. */
  readonly enumsAsNumbers?: boolean;
  /** Types that a `google.protobuf.Any` may hold, and extensions. They come before those of the served files. */
  readonly registry?: Registry;
}

/** A body to be sent. */
export type EncodedBody =
  | { readonly kind: "json"; readonly text: string }
  /** `contentType` is undefined or a valid header value. `data` is the message's own memory. */
  | { readonly kind: "bytes"; readonly contentType: string | undefined; readonly data: Uint8Array };

/** @throws ConnectError `internal` if the message cannot be encoded */
export type BodyEncoder = (message: Message) => EncodedBody;

/** Prepares the writing of replies for one binding. Each message of a stream is such a reply. */
export function createResponseEncoder(binding: Binding, options: EncodeOptions = {}): BodyEncoder {
  return createBodyEncoder(ownJson, binding.method.output, binding.responseBody, options, "null");
}

/**
 * Prepares the reading of replies for one binding.
 *
 * @returns a function that throws ConnectError `internal` for an invalid body
 */
export function createResponseDecoder(
  codec: JsonCodec,
  binding: Binding,
  options: DecodeOptions = {},
): (body: ReceivedBody) => Message {
  const decode = createBodyDecoder(codec.createDecoder, binding.method.output, binding.responseBody, options);
  return (body) => {
    try {
      return decode(body);
    } catch (error) {
      throw toInternal("the server's reply does not fit the schema", error);
    }
  };
}

/** @param absent the JSON of a field that is not set */
export function createBodyEncoder(
  codec: JsonCodec,
  desc: DescMessage,
  binding: Exclude<BodyBinding, { kind: "none" }>,
  options: EncodeOptions,
  absent: string,
): BodyEncoder {
  if (binding.kind === "bytes") return bytesEncoder(desc, binding.field);
  const write = createTextWriter(codec, desc, binding.field, options);
  return (message) => {
    try {
      return { kind: "json", text: write(message) ?? absent };
    } catch (error) {
      throw toInternal(`${desc.typeName} cannot be written as JSON`, error);
    }
  };
}

/**
 * Prepares the writing of a message, or of one field of it.
 *
 * @param omitted fields that are left out, each as the path to it from the message or from the message of the field
 * @returns a function that gives undefined if the field has presence and is not set
 */
export function createTextWriter(
  codec: JsonCodec,
  desc: DescMessage,
  field: DescField | undefined,
  options: EncodeOptions,
  omitted: Omitted = [],
): (message: Message) => string | undefined {
  const own = toJsonOptions(options);
  return field === undefined ? codec.createEncoder(desc, own, omitted) : codec.createFieldEncoder(field, own, omitted);
}

/** The names that protobuf-es gives to the options. */
function toJsonOptions(options: EncodeOptions): JsonEncodeOptions {
  return {
    alwaysEmitImplicit: options.emitDefaults === true,
    useProtoFieldName: options.useProtoNames === true,
    enumAsInteger: options.enumsAsNumbers === true,
    registry: options.registry,
    compiles: options.compiles !== false,
  };
}

function bytesEncoder(desc: DescMessage, field: MessageField | undefined): BodyEncoder {
  return (message) => {
    const body = field === undefined ? message : reflect(desc, message, false).get(field).message;
    const { contentType, data } = body as HttpBody;
    if (!isHeaderValue(contentType)) {
      throw new ConnectError("the content_type of a google.api.HttpBody is no header value", Code.Internal);
    }
    return { kind: "bytes", contentType: contentType === "" ? undefined : contentType, data };
  };
}

/** Whether the text is a valid header value or empty. Other text could inject a header (RFC 9110, 5.5). */
export function isHeaderValue(text: string): boolean {
  return /^(?:[!-~](?:[\t -~]*[!-~])?)?$/.test(text);
}

/** An error of the server, not of the client. The cause is for the log. */
export function toInternal(message: string, cause: unknown): ConnectError {
  return new ConnectError(message, Code.Internal, undefined, undefined, cause);
}
