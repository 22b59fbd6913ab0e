// Adds their JSON to the details of an error, for people who read the response
// (https://connectrpc.com/docs/protocol#error-end-stream). Connect's own would have floats as doubles.
import { create, type JsonValue, type JsonWriteOptions, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { createJsonEncoder } from "../codec/json-write.js";

type Detail = ConnectError["details"][number];

/** Returns the error with its details as bytes, each with its JSON as `debug` where it has one. */
export function addDebugJson(error: ConnectError, options: Partial<JsonWriteOptions> | undefined): ConnectError {
  if (!error.details.some((detail) => "desc" in detail)) return error;
  const described = new ConnectError(error.rawMessage, error.code, error.metadata);
  described.details = error.details.map((detail) => describeDetail(detail, options ?? {}));
  return described;
}

function describeDetail(detail: Detail, options: Partial<JsonWriteOptions>): Detail {
  if (!("desc" in detail)) return detail;
  const { desc } = detail;
  const message = create(desc, detail.value);
  const bytes = { type: desc.typeName, value: toBinary(desc, message) };
  try {
    const debug: JsonValue = JSON.parse(createJsonEncoder(desc, { ...options, compiles: false })(message));
    return { ...bytes, debug };
  } catch {
    return bytes; // The JSON is a courtesy; the bytes have everything.
  }
}
