// Repairs a file, as compilers would have written it: servers leave out JSON names, and descriptors that come from protobuf.js
// have relative names of types, absolute names of extensions, and messages that are said to be entries of maps.
import type { DescriptorProto, FieldDescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { type DeclaredTypes, messagesOf, scopeOf } from "./named-types.js";

/** Repairs a file in place. Returns whether there was more to repair than JSON names, so that tools cannot read the file. */
export function repairFile(file: FileDescriptorProto, types: DeclaredTypes): boolean {
  const scope = scopeOf(file);
  let isMalformed = false;
  const absolute = (name: string, inner: string) => {
    if (name === "" || name.startsWith(".")) return name;
    isMalformed = true;
    return toAbsolute(name, inner, types);
  };
  for (const field of file.extension) completeField(field, scope, absolute);
  for (const [name, message] of messagesOf(file)) {
    if (message.options?.mapEntry === true && !isMapEntry(message)) {
      message.options.mapEntry = false;
      isMalformed = true;
    }
    // protobuf.js adds extensions to the fields of what they extend.
    const fields = message.field.filter((one) => !one.name.startsWith("."));
    isMalformed ||= fields.length < message.field.length;
    message.field = fields;
    for (const one of [...message.field, ...message.extension]) completeField(one, name, absolute);
  }
  for (const method of file.service.flatMap((one) => one.method)) {
    method.inputType = absolute(method.inputType, scope);
    method.outputType = absolute(method.outputType, scope);
  }
  return isMalformed;
}

/** https://protobuf.com/docs/descriptors#map-fields */
function isMapEntry({ field: [key, value, ...others] }: DescriptorProto): boolean {
  return (
    key?.name === "key" && key.number === 1 && value?.name === "value" && value.number === 2 && others.length === 0
  );
}

function completeField(
  field: FieldDescriptorProto,
  scope: string,
  absolute: (name: string, scope: string) => string,
): void {
  // Only extensions are left that begin with a dot.
  if (field.name.startsWith(".")) field.name = field.name.slice(field.name.lastIndexOf(".") + 1);
  field.typeName = absolute(field.typeName, scope);
  field.extendee = absolute(field.extendee, scope);
  if (field.jsonName === "") field.jsonName = toJsonName(field.name);
}

/** Looks for a type from the inside out: https://protobuf.com/docs/language-spec#reference-resolution */
function toAbsolute(name: string, scope: string, types: DeclaredTypes): string {
  for (let outer = scope; ; outer = outer.slice(0, outer.lastIndexOf("."))) {
    if (types.has(`${outer}.${name}`)) return `${outer}.${name}`;
    if (outer === "") return `.${name}`;
  }
}

/** As protoc does: https://protobuf.dev/programming-guides/json/#field-names */
export function toJsonName(name: string): string {
  return name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase());
}
