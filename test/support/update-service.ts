// A service with one method to update a resource, as https://google.aip.dev/134 has it, which the common test services do not
// have: built from the fields that its request is to have.
import { create, createFileRegistry, type DescService, setExtension } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import {
  FieldMaskSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { http } from "../../gen/google/api/annotations_pb.js";
import { type HttpRule, HttpRuleSchema } from "../../gen/google/api/http_pb.js";
import { FieldBehavior, field_behavior } from "../gen/google/api/field_behavior_pb.js";
import { EverythingSchema } from "../gen/manywire/test/rest/v1/everything_pb.js";

/** A field of the request: its name, its message type, and whether it repeats, is in the oneof `either`, or is required. */
export interface UpdateField {
  readonly name: string;
  readonly type?: string;
  readonly isList?: boolean;
  readonly isInOneof?: boolean;
  readonly isRequired?: boolean;
}

function requiredOptions() {
  const options = create(FieldOptionsSchema);
  setExtension(options, field_behavior, [FieldBehavior.REQUIRED]);
  return options;
}

const mask = FieldMaskSchema.typeName;
const usual: readonly UpdateField[] = [
  { name: "everything", type: EverythingSchema.typeName },
  { name: "update_mask", type: mask },
];

/** `update.Updates` with `Update(UpdateRequest) returns (UpdateRequest)`: `PATCH /v1/update`, the body is `everything`. */
export function createUpdateService(
  fields: readonly UpdateField[] = usual,
  rule: Partial<HttpRule> = { pattern: { case: "patch", value: "/v1/update" }, body: "everything" },
): DescService {
  const files = [EverythingSchema.file, ...EverythingSchema.file.dependencies, FieldMaskSchema.file];
  const options = create(MethodOptionsSchema);
  setExtension(options, http, create(HttpRuleSchema, rule as HttpRule));
  const type = ".update.UpdateRequest";
  const field = fields.map(({ name, type, isList = false, isInOneof = false, isRequired = false }, index) => ({
    name,
    jsonName: protoCamelCase(name),
    number: index + 1,
    label: isList ? 3 : 1,
    ...(type === undefined ? { type: 9 } : { type: 11, typeName: `.${type}` }),
    ...(isInOneof && { oneofIndex: 0 }),
    ...(isRequired && { options: requiredOptions() }),
  }));
  const oneofDecl = fields.some(({ isInOneof }) => isInOneof) ? [{ name: "either" }] : [];
  const file = create(FileDescriptorProtoSchema, {
    name: "update.proto",
    package: "update",
    syntax: "proto3",
    dependency: [...new Set(files.map(({ proto }) => proto.name))],
    messageType: [{ name: "UpdateRequest", field, oneofDecl }],
    service: [{ name: "Updates", method: [{ name: "Update", inputType: type, outputType: type, options }] }],
  });
  const registry = createFileRegistry(file, (name) => files.find(({ proto }) => proto.name === name));
  return registry.getService("update.Updates") as DescService;
}
