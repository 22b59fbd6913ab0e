// Messages whose fields have rules of protovalidate, with a stand-in for its buf/validate/validate.proto that has the
// rules under test.
import {
  create,
  createFileRegistry,
  type DescFile,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_descriptor,
  OneofOptionsSchema,
} from "@bufbuild/protobuf/wkt";

const optional = (name: string, number: number, type: string, typeName?: string): JsonObject => ({
  ...{
    name,
    number,
    type,
    label: "LABEL_OPTIONAL",
    jsonName: name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()),
  },
  ...(typeName === undefined ? {} : { typeName: `.buf.validate.${typeName}` }),
});
const repeated = (name: string, number: number, type: string) => ({
  ...optional(name, number, type),
  label: "LABEL_REPEATED",
});

function numberRules(name: string, type: string): JsonObject {
  const bounds = ["const", "lt", "lte", "gt", "gte"].map((bound, index) => optional(bound, index + 1, type));
  const lists = [repeated("in", 6, type), repeated("not_in", 7, type), optional("finite", 8, "TYPE_BOOL")];
  return { name, field: [...bounds, ...lists] };
}

const sizes = ["const", "pattern", "prefix", "suffix", "contains"];
const formats = ["email", "hostname", "ip", "ipv4", "ipv6", "uri", "uri_ref", "uuid", "tuuid"];
const validateProto: JsonObject = {
  name: "buf/validate/validate.proto",
  package: "buf.validate",
  syntax: "proto2",
  dependency: ["google/protobuf/descriptor.proto"],
  messageType: [
    {
      name: "FieldRules",
      field: [
        optional("required", 25, "TYPE_BOOL"),
        optional("ignore", 27, "TYPE_ENUM", "Ignore"),
        optional("float", 1, "TYPE_MESSAGE", "FloatRules"),
        optional("int32", 3, "TYPE_MESSAGE", "Int32Rules"),
        optional("int64", 4, "TYPE_MESSAGE", "Int64Rules"),
        optional("string", 14, "TYPE_MESSAGE", "StringRules"),
        optional("enum", 16, "TYPE_MESSAGE", "Int32Rules"),
        optional("repeated", 18, "TYPE_MESSAGE", "RepeatedRules"),
        optional("map", 19, "TYPE_MESSAGE", "MapRules"),
      ],
    },
    { name: "OneofRules", field: [optional("required", 1, "TYPE_BOOL")] },
    numberRules("FloatRules", "TYPE_FLOAT"),
    numberRules("Int32Rules", "TYPE_INT32"),
    numberRules("Int64Rules", "TYPE_INT64"),
    {
      name: "StringRules",
      field: [
        ...["len", "min_len", "max_len"].map((name, index) => optional(name, index + 1, "TYPE_UINT64")),
        ...sizes.map((name, index) => optional(name, index + 11, "TYPE_STRING")),
        ...formats.map((name, index) => optional(name, index + 21, "TYPE_BOOL")),
        ...[repeated("in", 31, "TYPE_STRING"), repeated("not_in", 32, "TYPE_STRING")],
      ],
    },
    {
      name: "RepeatedRules",
      field: [
        ...["min_items", "max_items"].map((name, index) => optional(name, index + 1, "TYPE_UINT64")),
        ...[optional("unique", 3, "TYPE_BOOL"), optional("items", 4, "TYPE_MESSAGE", "FieldRules")],
      ],
    },
    {
      name: "MapRules",
      field: [
        ...["min_pairs", "max_pairs"].map((name, index) => optional(name, index + 1, "TYPE_UINT64")),
        ...["keys", "values"].map((name, index) => optional(name, index + 3, "TYPE_MESSAGE", "FieldRules")),
      ],
    },
  ],
  enumType: [
    {
      name: "Ignore",
      value: ["IGNORE_UNSPECIFIED", "IGNORE_IF_ZERO_VALUE", "IGNORE_ALWAYS"].map((name, number) => ({ name, number })),
    },
  ],
  extension: [
    { ...optional("field", 1159, "TYPE_MESSAGE", "FieldRules"), extendee: ".google.protobuf.FieldOptions" },
    { ...optional("oneof", 1159, "TYPE_MESSAGE", "OneofRules"), extendee: ".google.protobuf.OneofOptions" },
  ],
};

const registry = createFileRegistry(fromJson(FileDescriptorProtoSchema, validateProto), (name) =>
  name === "google/protobuf/descriptor.proto" ? file_google_protobuf_descriptor : undefined,
);
const validate = registry.getFile("buf/validate/validate.proto") as DescFile;

function rulesOption(kind: "field" | "oneof", rules: JsonValue) {
  const extension = registry.getExtension(`buf.validate.${kind}`);
  if (extension?.message === undefined) throw new Error(`there are no rules for a ${kind}`);
  const options = create(kind === "field" ? FieldOptionsSchema : OneofOptionsSchema);
  setExtension(options, extension, fromJson(extension.message, rules));
  return options;
}

/**
 * A message of proto3 with one field `f`.
 *
 * @param type a type of FieldDescriptorProto without `TYPE_`, in small letters: `int32`; or `color`, an enumeration
 */
export function messageWithRules(
  type: string,
  rules: JsonObject,
  shape: "plain" | "optional" | "repeated" | "map" = "plain",
): DescMessage {
  const typed = type === "color" ? { type: "TYPE_ENUM", typeName: ".r.Color" } : { type: `TYPE_${type.toUpperCase()}` };
  const field = { name: "f", jsonName: "f", number: 1, label: "LABEL_OPTIONAL", ...typed };
  const entry = {
    name: "FEntry",
    options: { mapEntry: true },
    field: [
      { name: "key", jsonName: "key", number: 1, type: "TYPE_STRING", label: "LABEL_OPTIONAL" },
      { ...field, name: "value", jsonName: "value", number: 2 },
    ],
  };
  const shapes: Record<string, JsonObject> = {
    plain: { field: [field] },
    optional: { field: [{ ...field, proto3Optional: true, oneofIndex: 0 }], oneofDecl: [{ name: "_f" }] },
    repeated: { field: [{ ...field, label: "LABEL_REPEATED" }] },
    map: {
      field: [{ ...field, type: "TYPE_MESSAGE", typeName: ".r.M.FEntry", label: "LABEL_REPEATED" }],
      nestedType: [entry],
    },
  };
  return build({ name: "M", ...shapes[shape] }, (file) => {
    const [first] = file.messageType[0]?.field ?? [];
    if (first !== undefined) first.options = rulesOption("field", rules) as never;
  });
}

/** A message with a oneof `o` of `a` and `b`. */
export function messageWithOneof(rules: JsonObject): DescMessage {
  const members = ["a", "b"].map((name, index) => ({
    ...{ name, jsonName: name, number: index + 1, type: "TYPE_STRING", label: "LABEL_OPTIONAL", oneofIndex: 0 },
  }));
  return build({ name: "M", field: members, oneofDecl: [{ name: "o" }] }, (file) => {
    const [oneof] = file.messageType[0]?.oneofDecl ?? [];
    if (oneof !== undefined) oneof.options = rulesOption("oneof", rules) as never;
  });
}

function build(message: JsonObject, addOptions: (file: ReturnType<typeof readFile>) => void): DescMessage {
  const file = readFile(message);
  addOptions(file);
  const built = createFileRegistry(file, (name) => (name === validate.proto.name ? validate : undefined));
  return built.getMessage("r.M") as DescMessage;
}

function readFile(message: JsonObject) {
  const values = ["COLOR_NONE", "COLOR_RED", "COLOR_GREEN"].map((name, number) => ({ name, number }));
  return fromJson(FileDescriptorProtoSchema, {
    ...{ name: "r.proto", package: "r", syntax: "proto3", dependency: [validate.proto.name] },
    messageType: [message],
    enumType: [{ name: "Color", value: values }],
  });
}
