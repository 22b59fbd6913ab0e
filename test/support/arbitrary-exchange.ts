// What requests and replies of one binding are drawn from: messages that it may be able to carry.
import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import type { JsonCodec } from "../../server/codec/json.js";
import { isNested } from "../../server/rest/fields.js";
import { leafOf } from "../../server/rest/leaf.js";
import { createPlace, type Place } from "../../server/rest/read/place.js";
import { createResponseEncoder, type EncodedBody } from "../../server/rest/response.js";
import type { Binding } from "../../server/rest/route/binding.js";
import { createRequestEncoder, type EncodedRequest } from "../../server/rest/write/request.js";
import { type FieldFilter, fieldValueOf, messageOf } from "./arbitrary-message.js";
import { registry } from "./rest-bindings.js";

/** JSON is written into plain objects, where a field of this name in JSON is lost: a limit of protobuf-es. */
const isWritable: FieldFilter = ({ jsonName }) => jsonName !== "__proto__";
const isQueryable: FieldFilter = (field) => leafOf(field) !== undefined || isNested(field);

/** What a binding may be able to carry: in the query only what has text. */
function filterOf({ method, requestBody }: Binding): FieldFilter {
  if (requestBody.kind === "none") return isQueryable;
  const { field: body } = requestBody;
  return (field) => {
    const isInBody = body === undefined || body === field || field.parent !== method.input;
    return isWritable(field) && (isInBody || isQueryable(field));
  };
}

/** Text that a variable's pattern is likely to match, or else a value of its field. */
function variableOf({ template, variables }: Binding, index: number): fc.Arbitrary<unknown> {
  const field = variables[index]?.fields.at(-1);
  const { start, end } = template.variables[index] ?? {};
  const pattern = template.segments.slice(start, end);
  if (field === undefined) throw new Error("there is no such variable");
  if (pattern.length === 1 && pattern[0]?.kind === "single") return fieldValueOf(field, () => true, 1);
  const text = fc.stringMatching(/^[a-z/%:. é]{1,4}$/);
  return fc
    .tuple(...pattern.map((segment) => (segment.kind === "literal" ? fc.constant(segment.text) : text)))
    .map((parts) => parts.join("/"));
}

/** The message that has the field, made if it is not there, whatever else its oneof has. */
function parentIn(root: ReflectMessage, { parents }: Place): ReflectMessage {
  return parents.reduce((message, field) => {
    if (!message.isSet(field)) message.set(field, reflect(field.message));
    return message.get(field);
  }, root);
}

/** Messages with a value for each variable, and the body where it is a member of a oneof. */
export function sendable(binding: Binding): fc.Arbitrary<Message> {
  const { method, requestBody } = binding;
  const { input } = method;
  const values = binding.variables.map((_, index) => variableOf(binding, index));
  const body = requestBody.kind === "none" || requestBody.field?.oneof === undefined ? undefined : requestBody.field;
  const bodyValue = body === undefined ? fc.constant(undefined) : fieldValueOf(body, () => true, 2);
  return fc.tuple(messageOf(input, filterOf(binding)), bodyValue, ...values).map(([message, own, ...all]) => {
    const root = reflect(input, message);
    if (body !== undefined) root.set(body, own);
    binding.variables.forEach(({ fields }, index) => {
      const place = createPlace(fields);
      if (place !== undefined) parentIn(root, place).set(place.field, all[index]);
    });
    return message;
  });
}

/** The request of a message; undefined if the binding cannot carry it. */
export function tryEncode(codec: JsonCodec, binding: Binding, message: Message): EncodedRequest | undefined {
  try {
    return createRequestEncoder(codec, [binding], { registry })(message);
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.InvalidArgument) return undefined;
    throw error;
  }
}

/** What a reply can say: all of a message, or its one field. */
export function answerable({ method, responseBody }: Binding): fc.Arbitrary<Message> {
  const isWanted: FieldFilter = (field) => isWritable(field) && field.name !== "extensions";
  const { field } = responseBody;
  if (field === undefined) return messageOf(method.output, isWanted);
  // The JSON of an absent Value is null, which is also that of a Value with null.
  const value = fieldValueOf(field, isWanted, 3);
  const optional = field.message?.typeName === "google.protobuf.Value" ? value : fc.option(value, { nil: undefined });
  return optional.map((any) => {
    const message = reflect(method.output);
    if (any !== undefined) message.set(field, any);
    return message.message;
  });
}

/** The body of a reply; undefined if its type is no header value. */
export function tryAnswer(binding: Binding, message: Message): EncodedBody | undefined {
  try {
    return createResponseEncoder(binding, { registry })(message);
  } catch (error) {
    if (error instanceof ConnectError && /content_type/.test(error.rawMessage)) return undefined;
    throw error;
  }
}

/** An HttpBody without type and data is the same as none. */
export function isEmptyFile({ responseBody, method }: Binding, message: Message): boolean {
  const { kind, field } = responseBody;
  if (kind !== "bytes" || field === undefined) return false;
  return bytesOf(field.message, reflect(method.output, message).get(field).message) === "";
}

/** A message as bytes: NaN equals itself there, and presence counts. */
export function bytesOf(desc: DescMessage, message: Message): string {
  return Buffer.from(toBinary(desc, message)).toString("hex");
}
