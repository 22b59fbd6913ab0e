// Encodes the body of a request: all fields that the path does not have, or one field
// (google/api/http.proto, "Rules for HTTP mapping").
import type { DescField, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { HttpBody } from "../../../gen/google/api/httpbody_pb.js";
import type { JsonCodec } from "../../codec/json.js";
import type { MessageField } from "../fields.js";
import {
  createBodyEncoder,
  createTextWriter,
  type EncodedBody,
  type EncodeOptions,
  isHeaderValue,
  toInternal,
} from "../response.js";
import type { Binding } from "../route/binding.js";
import { unfit } from "./unfit.js";

/** The body of a request, if it has one: an absent field differs from an empty one. */
export type RequestBody = EncodedBody | { readonly kind: "none" };

/** @throws UnfitError, or ConnectError `internal` if the message has no JSON */
type BodyWriter = (message: Message) => RequestBody;

/** Prepares the writing of bodies for one binding. */
export function createBodyWriter(codec: JsonCodec, binding: Binding, options: EncodeOptions): BodyWriter {
  const { requestBody } = binding;
  if (requestBody.kind === "none") return () => ({ kind: "none" });
  if (requestBody.kind === "json") return jsonWriter(codec, binding, requestBody.field, options);
  const encode = createBodyEncoder(codec, binding.method.input, requestBody, options, "");
  return bytesWriter(binding, requestBody.field, encode);
}

function jsonWriter(
  codec: JsonCodec,
  { method, variables }: Binding,
  field: DescField | undefined,
  options: EncodeOptions,
): BodyWriter {
  const inPath = variables
    .map(({ fields }) => (field === undefined ? fields : fields[0] === field ? fields.slice(1) : []))
    .filter((fields) => fields.length > 0);
  const write = createTextWriter(codec, method.input, field, options, inPath);
  return (message) => {
    try {
      const text = write(message);
      return text === undefined ? { kind: "none" } : { kind: "json", text };
    } catch (error) {
      throw toInternal(`${method.input.typeName} cannot be written as JSON`, error);
    }
  };
}

function bytesWriter(
  { method }: Binding,
  field: MessageField | undefined,
  encode: (message: Message) => EncodedBody,
): BodyWriter {
  return (message) => {
    const root = reflect(method.input, message, false);
    if (field !== undefined && !root.isSet(field)) return { kind: "none" };
    checkHttpBody(field?.name, (field === undefined ? message : root.get(field).message) as HttpBody);
    return encode(message);
  };
}

/** @param name the field that is the body; undefined if the whole message is, which is never absent */
function checkHttpBody(name: string | undefined, { contentType, data, extensions }: HttpBody): void {
  if (extensions.length > 0) throw unfit(name ?? "extensions", "a body of bytes has no place for extensions");
  if (!isHeaderValue(contentType)) throw unfit(name ?? "content_type", "the content_type is no header value");
  if (name !== undefined && contentType === "" && data.length === 0) {
    throw unfit(name, "an empty body without a type cannot be told from none");
  }
}
