// Says which message types have a plan of their own. All others, and those that contain them, are left to protobuf-es.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import { isPlainScalar } from "./values.js";

/** Types that protobuf-es keeps in a form of their own where they are fields: unwrapped, or as a JSON object. */
const specialFiles: ReadonlySet<string> = new Set(["google/protobuf/wrappers", "google/protobuf/struct"]);

/** Whether messages of the type, and of all types that it contains, are as plain as most of proto3 is. */
export function isPlainType(desc: DescMessage, seen: Set<DescMessage> = new Set()): boolean {
  if (seen.has(desc)) return true;
  seen.add(desc);
  const isProto3 = desc.file.edition === Edition.EDITION_PROTO3 && !specialFiles.has(desc.file.name);
  return isProto3 && desc.fields.every((field) => isPlainField(field, seen));
}

function isPlainField(field: DescField, seen: Set<DescMessage>): boolean {
  switch (field.fieldKind) {
    case "scalar":
      return isPlainScalar(field.scalar) && !field.longAsString;
    case "enum":
      return field.enum.open;
    case "message":
      return !field.delimitedEncoding && isPlainType(field.message, seen);
    case "list":
      if (field.listKind === "message") return !field.delimitedEncoding && isPlainType(field.message, seen);
      if (field.listKind === "enum") return field.enum.open;
      return isPlainScalar(field.scalar) && !field.longAsString;
    case "map":
      return false;
  }
}
