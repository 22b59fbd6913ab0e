/** The types that JSON may always name in browsers: a bundle has 3.1 KB of their generated files, and 1.0 KB of these tables. */
import { create, createFileRegistry, type DescFile, type MessageInitShape, type Registry } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import {
  type DescriptorProtoSchema,
  type FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_struct,
} from "@bufbuild/protobuf/wkt";
import { createTypesOf } from "../../server/schema/file-types.js";

/**
 * Messages by name. Fields are numbered from 1. The type follows the name, unless it is string. The mark before the name is
 * `*` for a list, `%` for a map from string to string, and `?` for `optional`.
 */
interface Messages {
  readonly [name: string]: string | readonly [fields: string, nested: Messages];
}

const values: Messages = {
  Duration: "seconds:int64 nanos:int32",
  Timestamp: "seconds:int64 nanos:int32",
  Empty: "",
  FieldMask: "*paths",
  DoubleValue: "value:double",
  FloatValue: "value:float",
  Int64Value: "value:int64",
  UInt64Value: "value:uint64",
  Int32Value: "value:int32",
  UInt32Value: "value:uint32",
  BoolValue: "value:bool",
  StringValue: "value",
  BytesValue: "value:bytes",
};

const errors: Messages = {
  Status: "code:int32 message *details:google.protobuf.Any",
  ErrorInfo: "reason domain %metadata",
  RetryInfo: "retry_delay:google.protobuf.Duration",
  DebugInfo: "*stack_entries detail",
  QuotaFailure: [
    "*violations:google.rpc.QuotaFailure.Violation",
    {
      Violation:
        "subject description api_service quota_metric quota_id %quota_dimensions quota_value:int64 ?future_quota_value:int64",
    },
  ],
  PreconditionFailure: [
    "*violations:google.rpc.PreconditionFailure.Violation",
    { Violation: "type subject description" },
  ],
  BadRequest: [
    "*field_violations:google.rpc.BadRequest.FieldViolation",
    { FieldViolation: "field description reason localized_message:google.rpc.LocalizedMessage" },
  ],
  RequestInfo: "request_id serving_data",
  ResourceInfo: "resource_type resource_name owner description",
  Help: ["*links:google.rpc.Help.Link", { Link: "description url" }],
  LocalizedMessage: "locale message",
};

/** Numbers of FieldDescriptorProto.Type. */
const types: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
};
const messageType = 11;

/** Numbers of FieldDescriptorProto.Label. */
const optional = 1;
const repeated = 3;

type MessageInit = MessageInitShape<typeof DescriptorProtoSchema>;
type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema>;

function createFile(packageName: string, messages: Messages, imports: readonly DescFile[] = []): DescFile {
  const proto = create(FileDescriptorProtoSchema, {
    name: packageName,
    package: packageName,
    syntax: "proto3",
    dependency: imports.map((file) => file.proto.name),
    messageType: toMessages(packageName, messages),
  });
  const registry = createFileRegistry(proto, (name) => imports.find((file) => file.proto.name === name));
  return registry.getFile(packageName) as DescFile;
}

function toMessages(scope: string, messages: Messages): MessageInit[] {
  return Object.entries(messages).map(([name, message]) => {
    const [texts, nested = {}] = typeof message === "string" ? [message] : message;
    const fields =
      texts === "" ? [] : texts.split(" ").map((text, index) => toField(`${scope}.${name}`, text, index + 1));
    const entries = fields.flatMap(({ entry }) => entry ?? []);
    return {
      name,
      field: fields.map(({ field }) => field),
      nestedType: [...toMessages(`${scope}.${name}`, nested), ...entries],
    };
  });
}

/** @returns the field, and the type of its entries if it is a map */
function toField(scope: string, text: string, number: number): { field: FieldInit; entry?: MessageInit } {
  const [, mark, name = "", typeName = "string"] = /^([*%?])?(\w+)(?::(.+))?$/.exec(text) ?? [];
  const jsonName = protoCamelCase(name);
  const own = { name, number, jsonName, proto3Optional: mark === "?" };
  if (mark === "%") {
    const entryName = `${jsonName.charAt(0).toUpperCase()}${jsonName.slice(1)}Entry`;
    const field = [toField("", "key", 1).field, toField("", "value", 2).field];
    return {
      field: { ...own, label: repeated, type: messageType, typeName: `.${scope}.${entryName}` },
      entry: { name: entryName, field, options: { mapEntry: true } },
    };
  }
  const label = mark === "*" ? repeated : optional;
  const type = types[typeName];
  return {
    field:
      type === undefined ? { ...own, label, type: messageType, typeName: `.${typeName}` } : { ...own, label, type },
  };
}

let created: readonly DescFile[] | undefined;

function valueFiles(): readonly DescFile[] {
  created ??= createValueFiles();
  return created;
}

function createValueFiles(): readonly DescFile[] {
  const valueFile = createFile("google.protobuf", values);
  const errorFile = createFile("google.rpc", errors, [file_google_protobuf_any, valueFile]);
  return [file_google_protobuf_any, file_google_protobuf_struct, valueFile, errorFile];
}

/** A registry with the types of files, of all files that these import, the well-known types of values, and the details of errors. */
export function createValueTypes(files: ReadonlySet<DescFile>): Registry {
  return createTypesOf(files, valueFiles);
}
