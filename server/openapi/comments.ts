// Finds the comments of a schema: turns the source info of a google.protobuf.FileDescriptorSet into a text for each name
// (google/protobuf/descriptor.proto, "SourceCodeInfo"). Generated code has no comments, so they come on their own.
import { fromBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type SourceCodeInfo_Location,
} from "@bufbuild/protobuf/wkt";

/**
 * Texts by full name: `pkg.Service`, `pkg.Service.Method`, `pkg.Message`, `pkg.Message.field`, `pkg.Message.oneof`,
 * `pkg.Enum`, and `pkg.Enum.VALUE`. What has no comment is absent.
 */
export type Comments = ReadonlyMap<string, string>;

/**
 * Reads the comments of serialised descriptor sets; of a file in several the first that has source info counts.
 *
 * @throws Error if the bytes are no descriptor set
 */
export function readComments(descriptorSets: readonly Uint8Array[]): Comments {
  const comments = new Map<string, string>();
  const files = descriptorSets.flatMap((bytes) => fromBinary(FileDescriptorSetSchema, bytes).file);
  for (const file of files.reverse()) {
    const names = namesByPath(file);
    for (const location of file.sourceCodeInfo?.location ?? []) {
      const name = names.get(location.path.join("."));
      const text = name === undefined ? "" : textOf(location);
      if (name !== undefined && text !== "") comments.set(name, text);
    }
  }
  return comments;
}

/** The comment above, else the one beside, without what is written for tools. */
function textOf({ leadingComments, trailingComments }: SourceCodeInfo_Location): string {
  const lines = (leadingComments || trailingComments).split("\n").map((line) => line.replace(/^ /, "").trimEnd());
  return lines
    .filter((line) => !/^(?:buf:lint:|@exclude\b)/.test(line))
    .join("\n")
    .replace(/\(--[\s\S]*?--\)/g, "")
    .trim();
}

/** The numbers of the fields that lead to a declaration, as locations have them. */
const number = {
  messageType: FileDescriptorProtoSchema.field.messageType.number,
  enumType: FileDescriptorProtoSchema.field.enumType.number,
  service: FileDescriptorProtoSchema.field.service.number,
  method: 2,
  field: 2,
  nestedType: 3,
  nestedEnum: 4,
  oneof: 8,
  value: 2,
};

/** Path of a location → full name. */
function namesByPath(file: FileDescriptorProto): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const add = (scope: string, name: string, path: string) => {
    const full = scope === "" ? name : `${scope}.${name}`;
    names.set(path, full);
    return full;
  };
  const addEnum = (scope: string, desc: EnumDescriptorProto, path: string) => {
    const full = add(scope, desc.name, path);
    for (const [index, { name }] of desc.value.entries()) add(full, name, `${path}.${number.value}.${index}`);
  };
  const addMessage = (scope: string, desc: DescriptorProto, path: string) => {
    const full = add(scope, desc.name, path);
    for (const [index, { name }] of desc.field.entries()) add(full, name, `${path}.${number.field}.${index}`);
    for (const [index, { name }] of desc.oneofDecl.entries()) add(full, name, `${path}.${number.oneof}.${index}`);
    for (const [index, type] of desc.nestedType.entries())
      addMessage(full, type, `${path}.${number.nestedType}.${index}`);
    for (const [index, type] of desc.enumType.entries()) addEnum(full, type, `${path}.${number.nestedEnum}.${index}`);
  };
  for (const [index, type] of file.messageType.entries())
    addMessage(file.package, type, `${number.messageType}.${index}`);
  for (const [index, type] of file.enumType.entries()) addEnum(file.package, type, `${number.enumType}.${index}`);
  for (const [index, service] of file.service.entries()) {
    const path = `${number.service}.${index}`;
    const full = add(file.package, service.name, path);
    for (const [at, { name }] of service.method.entries()) add(full, name, `${path}.${number.method}.${at}`);
  }
  return names;
}
