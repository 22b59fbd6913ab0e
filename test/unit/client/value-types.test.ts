// The types that JSON may name in browsers, which are written as tables there, and the generated ones.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import * as wkt from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { createValueTypes } from "../../../client/browser/value-types.js";
import { file_google_rpc_error_details } from "../../../gen/google/rpc/error_details_pb.js";
import { file_google_rpc_status } from "../../../gen/google/rpc/status_pb.js";

const files = [
  wkt.file_google_protobuf_any,
  wkt.file_google_protobuf_duration,
  wkt.file_google_protobuf_empty,
  wkt.file_google_protobuf_field_mask,
  wkt.file_google_protobuf_struct,
  wkt.file_google_protobuf_timestamp,
  wkt.file_google_protobuf_wrappers,
  file_google_rpc_error_details,
  file_google_rpc_status,
];
const messages = files.flatMap((file) => [...nestedTypes(file)]).filter((type) => type.kind === "message");
const types = createValueTypes(new Set());

test.each(messages.map((desc) => [desc.typeName, desc] as const))("%s is as generated", (typeName, desc) => {
  expect(describeMessage(types.getMessage(typeName))).toEqual(describeMessage(desc));
});

test("there are no others", () => {
  const names = [...types].filter(({ kind }) => kind === "message").map(({ typeName }) => typeName);
  expect(names.sort()).toEqual(messages.map(({ typeName }) => typeName).sort());
});

function describeMessage(desc: DescMessage | undefined) {
  return desc && { name: desc.name, parent: desc.parent?.typeName, fields: desc.fields.map(describeField) };
}

const compared = [
  ...["kind", "name", "localName", "jsonName", "number", "fieldKind", "scalar", "listKind", "mapKind", "mapKey"],
  ...["presence", "utf8Validation", "delimitedEncoding", "packed", "longAsString"],
];

function describeField(field: DescField) {
  const facts = Object.entries(field).filter(([name]) => compared.includes(name));
  return { ...Object.fromEntries(facts), message: field.message?.typeName };
}
