// Turns the suite's messages for headers and errors into Headers and ConnectError, and back.
import { create, createRegistry } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import {
  ErrorSchema,
  file_connectrpc_conformance_v1_service as file,
  HeaderSchema,
} from "../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js";

/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js").Error} ErrorMessage */
/** @typedef {import("../../../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.js").Header} HeaderMessage */

/** Every message of the service: in JSON, the google.protobuf.Any fields of the responses need it. */
export const registry = createRegistry(file);

/**
 * Adds to `headers`: it belongs to the caller, and is there to be filled.
 * @param {Headers} headers
 * @param {HeaderMessage[]} [messages]
 */
export function appendHeaders(headers, messages = []) {
  for (const { name, value } of messages) {
    for (const each of value) {
      headers.append(name, each);
    }
  }
}

/** @param {HeaderMessage[]} messages */
export function parseHeaders(messages) {
  const headers = new Headers();
  appendHeaders(headers, messages);
  return headers;
}

/** @param {Iterable<[string, string]>} entries */
export function formatHeaders(entries) {
  return Array.from(entries, ([name, value]) => create(HeaderSchema, { name, value: [value] }));
}

/** @param {ErrorMessage} message */
export function parseError({ message, code, details }) {
  const outgoing = details.map((any) => {
    const value = anyUnpack(any, registry);
    const desc = value && registry.getMessage(value.$typeName);
    if (!desc) {
      throw new Error(`error detail: expected a message of the service, found ${any.typeUrl}`);
    }
    return { desc, value };
  });
  return new ConnectError(message ?? "", Number(code), undefined, outgoing);
}

/** @param {ConnectError} error */
export function formatError(error) {
  const details = error.details.map((detail) =>
    "desc" in detail
      ? anyPack(detail.desc, create(detail.desc, detail.value))
      : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value },
  );
  return create(ErrorSchema, { code: Number(error.code), message: error.rawMessage, details });
}
